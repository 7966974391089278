/** What `fid` gives back: the scores, and what they were made of. */
import type { Extractor } from '../../metrics/extractor.js';
import type { Versions } from '../../version.js';
import { networkText } from './network-text.js';
import { chosenScores, type ScoreKeys, type ScoreName, type ScoreSettings } from './scores/scores.js';
import type { Side } from './side.js';
import type { Network } from './statistics-file.js';

interface Provenance {
  extractor: DescribedNetwork;
  batch_size: number;
  /** The file of the extractor's weights; absent where there is none. */
  weights?: Extractor['file'];
  seconds: number;
  versions: Versions;
}

/** The scores of FAKE against REAL. */
export interface ComparisonResult extends ScoreKeys, Provenance {
  real: DescribedSide;
  fake: DescribedSide;
  protocol: object;
  stats_out?: string;
}

/** One set alone: the scores that need no other, and where its statistics are. */
export interface SetResult extends ScoreKeys, Provenance {
  set: DescribedSide;
  protocol: object;
  stats_out?: string;
}

/** A shard of a set. */
export interface ShardResult extends Provenance {
  out: string;
  shard: readonly [number, number];
  /** Images of the shard. */
  n: number;
  set: { path: string; n: number; digest: string | null };
}

export type FidResult = ComparisonResult | SetResult | ShardResult;

export interface DescribedSide {
  path: string;
  kind: Side['kind'];
  /** Rows; null where statistics of another tool do not say. */
  n: number | null;
  /** SHA-256 of what was measured. */
  digest: string | null;
  resize: string | null;
  network: string | null;
}

export interface DescribedNetwork {
  name: string | null;
  label: string | null;
  mode: string | null;
  digest: string | null;
  precision: string | null;
  width: number;
}

export function describeSide({ path, kind, statistics, sourceDigest, resize, network }: Side): DescribedSide {
  const origin = network ? networkText(network) : null;
  return { path, kind, n: statistics.n ?? null, digest: sourceDigest ?? null, resize: resize ?? null, network: origin };
}

export function describeNetwork(network: Network | undefined, width: number): DescribedNetwork {
  const { name = null, label = null, mode = null, digest = null, precision = null } = network ?? {};
  return { name, label, mode, digest, precision, width };
}

/** What decides the numbers beside the images and the network. */
export function protocolOf(metrics: readonly ScoreName[], settings: ScoreSettings): object {
  return Object.assign({}, ...chosenScores(metrics).map((score) => score.protocol(settings)));
}
