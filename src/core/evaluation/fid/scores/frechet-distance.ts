/** FID and the Fréchet distance in any other network (Heusel et al. 2017). */
import { UserError } from '../../../errors.js';
import { frechetDistance } from '../../../metrics/frechet.js';
import { networkText } from '../network-text.js';
import { score } from './score.js';

export interface FrechetKeys {
  /** Not below 0. */
  frechet_distance: number;
  /** As computed: rounding may leave it slightly below 0 for equal sets. */
  frechet_distance_raw: number;
  /** The same number, in the features of the 2015 Inception network only. */
  fid?: number;
}

export const frechet = score<'fid', object, FrechetKeys>({
  name: 'fid',
  help: `\
  frechet_distance   any number of rows, covariances divided by n - 1, in double
                     precision; called fid too in the features of inception;
                     _raw is the same before it is cut off at 0`,
  needs: 'statistics',
  defaults: {},
  options: [],
  protocol: () => ({ covariance: 'divided by n - 1' }),
  compare({ engine, real, fake, network }) {
    const raw = frechetDistance(engine, real.statistics, fake.statistics);
    if (!Number.isFinite(raw)) {
      throw new UserError(`the distance is ${raw}: the features are too large for double precision`);
    }
    const distance = Math.max(0, raw);
    return {
      frechet_distance: distance,
      frechet_distance_raw: raw,
      ...(network?.name === 'inception' && { fid: distance }),
    };
  },
  lines({ frechet_distance: distance, fid, real, fake, extractor }) {
    if (distance === undefined) return [];
    const counts = `${real?.n ?? 'unknown'} real, ${fake?.n ?? 'unknown'} fake`;
    const name = fid === undefined ? 'Fréchet distance' : 'FID';
    return [`${name} ${distance.toFixed(4)} (${counts}; ${networkText(extractor)})`];
  },
});
