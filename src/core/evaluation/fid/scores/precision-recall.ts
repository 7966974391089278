/** Improved precision and recall (Kynkäänniemi et al. 2019). */
import {
  checkNeighbours,
  type PrecisionRecall,
  precisionRecall,
} from '../../../metrics/neighbours/precision-recall.js';
import { score } from './score.js';

export const manifolds = score<'pr', { prNeighbours: number }, PrecisionRecall>({
  name: 'pr',
  note: 'precision and recall',
  help: `\
  precision, recall  improved precision and recall, by all distances, in the same
                     features; its authors and torch-fidelity take those of VGG16`,
  needs: 'rows',
  defaults: { prNeighbours: 3 },
  options: [
    {
      setting: 'prNeighbours',
      flags: '--pr-neighbours <k>',
      text: 'neighbours that span the manifolds of precision and recall',
    },
  ],
  protocol: ({ prNeighbours }) => ({ precision_recall: { neighbours: prNeighbours } }),
  check: (n, { prNeighbours }, path) => checkNeighbours(n, prNeighbours, path),
  compare({ engine, real, fake }, { prNeighbours }, onProgress) {
    const compared = (done: number, total: number) => onProgress('precision and recall', done, total);
    return precisionRecall(engine, real.features!, fake.features!, prNeighbours, compared);
  },
  lines({ precision, recall }) {
    return precision === undefined ? [] : [`precision ${precision.toFixed(4)}, recall ${recall!.toFixed(4)}`];
  },
});
