/** The scores of two sides, and whether they may be compared at all. */
import type { Engine } from '../../backend/engine.js';
import { expected, UserError } from '../../errors.js';
import { frechetDistance } from '../../metrics/frechet.js';
import { type KidSettings, kernelDistance } from '../../metrics/kid.js';
import { precisionRecall } from '../../metrics/neighbours/precision-recall.js';
import type { Metric } from './metric-names.js';
import type { OpenSide, Side } from './side.js';
import type { Network } from './statistics-file.js';

/** Keys as scripts know them; absent is what was not asked for. */
export interface Scores {
  /** Not below 0. */
  frechet_distance: number;
  /** As computed: rounding may leave it slightly below 0 for equal sets. */
  frechet_distance_raw: number;
  /** The same number, in the features of the 2015 Inception network only. */
  fid?: number;
  inception_score?: number;
  inception_score_std?: number;
  kid?: number;
  kid_std?: number;
  precision?: number;
  recall?: number;
}

export interface ScoreSettings {
  metrics: readonly Metric[];
  kid: Omit<KidSettings, 'onSubset'>;
  neighbours: number;
  onProgress?(label: string, done: number, total: number): void;
}

export async function scores(
  engine: Engine,
  real: Side,
  fake: Side,
  network: Network | undefined,
  settings: ScoreSettings,
): Promise<Scores> {
  const { metrics, kid: kidSettings, neighbours, onProgress } = settings;
  const raw = frechetDistance(engine, real.statistics, fake.statistics);
  if (!Number.isFinite(raw))
    throw new UserError(`the distance is ${raw}: the features are too large for double precision`);
  const result: Scores = { frechet_distance: Math.max(0, raw), frechet_distance_raw: raw };
  if (network?.name === 'inception') result.fid = result.frechet_distance;
  if (fake.score) Object.assign(result, scoreKeys(fake));
  const progress = (label: string) => (done: number, total: number) => onProgress?.(label, done, total);
  if (metrics.includes('kid')) {
    const kid = await kernelDistance(engine, real.features!, fake.features!, {
      ...kidSettings,
      onSubset: progress('KID'),
    });
    Object.assign(result, { kid: kid.mean, kid_std: kid.std });
  }
  if (metrics.includes('pr')) {
    Object.assign(
      result,
      await precisionRecall(engine, real.features!, fake.features!, neighbours, progress('precision and recall')),
    );
  }
  return result;
}

export function scoreKeys({ score }: Pick<Side, 'score'>): Pick<Scores, 'inception_score' | 'inception_score_std'> {
  return score ? { inception_score: score.mean, inception_score_std: score.std } : {};
}

type Known = Pick<OpenSide, 'path' | 'width' | 'network'>;

/**
 * Refuses features of different networks, weights, modes or arithmetic; gives the network they share as far as it is
 * known.
 */
export function checkComparable(a: Known, b: Known, warn?: (message: string) => void): Network | undefined {
  if (a.width !== b.width) {
    throw expected(
      `features of width ${a.width} as in ${a.path}`,
      b.path,
      `${b.width}`,
      'use the same network for both',
    );
  }
  if (a.network && b.network) {
    const name = ({ label, digest, mode = '' }: Network) => ({
      text: `${label} with weights ${digest.slice(0, 12)}`,
      key: `${label} ${digest} ${mode}`,
    });
    const [first, second] = [name(a.network), name(b.network)];
    if (first.key !== second.key) {
      throw expected(
        `features of ${first.text} as in ${a.path}`,
        b.path,
        second.text,
        'distances across networks, weights or resize modes mean nothing',
      );
    }
    const [ours, theirs] = [a.network.precision, b.network.precision];
    if (ours && theirs && ours !== theirs) {
      const hint =
        'rounding would count as a difference of the images: give encode the same --precision for both; --extractor encoder:RUN computes in float32';
      throw expected(`features in ${ours} as in ${a.path}`, b.path, theirs, hint);
    }
    return { ...a.network, ...b.network, name: a.network.name ?? b.network.name, precision: ours ?? theirs };
  }
  const [known, other] = a.network ? [a, b] : [b, a];
  if (known.network)
    warn?.(`${other.path} does not say which network its features are of; they must be of ${known.network.label}`);
  return known.network;
}
