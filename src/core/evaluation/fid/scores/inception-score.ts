/** Inception Score of FAKE (Salimans et al. 2016). */
import { createInceptionScore } from '../../../metrics/inception-score.js';
import { score } from './score.js';

export interface InceptionScoreKeys {
  inception_score: number;
  inception_score_std: number;
}

export const inceptionScore = score<'is', { splits: number }, InceptionScoreKeys>({
  name: 'is',
  note: 'Inception Score of FAKE, which needs class scores',
  help: `\
  inception_score    and _std, over --splits parts in the order of the set: low
                     where images are sorted by class; logits without the bias
                     of the last layer, as its authors had them`,
  needs: 'classes',
  defaults: { splits: 10 },
  options: [
    {
      setting: 'splits',
      flags: '--splits <n>',
      text: 'parts of FAKE, in its order, over which the Inception Score is averaged',
    },
  ],
  protocol: ({ splits }) => ({
    inception_score: { splits, order: 'of the set', logits: 'without bias where known' },
  }),
  scorer(total, { splits }) {
    const { add, result } = createInceptionScore(total, splits);
    return {
      add,
      result() {
        const { mean, std } = result();
        return { inception_score: mean, inception_score_std: std };
      },
    };
  },
  lines({ inception_score: mean, inception_score_std: std }) {
    return mean === undefined ? [] : [`Inception Score ${mean.toFixed(4)} ± ${std!.toFixed(4)}`];
  },
});
