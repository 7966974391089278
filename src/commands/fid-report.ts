/** How `bigbigan fid` tells its numbers and what they were made of. */
import type { Scores } from '../core/evaluation/compare.js';
import type { Side } from '../core/evaluation/side.js';
import type { Network } from '../core/evaluation/statistics-file.js';
import type { FidOptions } from './fid-checks.js';
import type { Report } from './report.js';

/** Below this many rows the 2,048 features of FID's usual network have a singular covariance. */
const USUAL_LEAST = 2049;

export function describe({ path, kind, statistics, sourceDigest, resize }: Side) {
  return { path, kind, n: statistics.n ?? null, digest: sourceDigest ?? null, resize: resize ?? null };
}

export function describeNetwork(network: Network | undefined, width: number) {
  const { name, label, mode, digest } = network ?? {};
  return { name: name ?? null, label: label ?? null, mode: mode ?? null, digest: digest ?? null, width };
}

/** What decides the numbers beside the images and the network. */
export function protocol({ metrics, splits, kidSubsets, kidSubsetSize, prNeighbours, seed }: FidOptions) {
  return {
    covariance: 'divided by n - 1',
    inception_score: metrics.includes('is') ? { splits, order: 'of the set', logits: 'without bias where known' } : undefined,
    kid: metrics.includes('kid') ? { kernel: '(x.y / width + 1)^3', subsets: kidSubsets, subset_size: kidSubsetSize, seed } : undefined,
    precision_recall: metrics.includes('pr') ? { neighbours: prNeighbours } : undefined,
  };
}

export function scoreText(result: Scores, real: Side, fake: Side, network: Network | undefined): string {
  const name = result.fid === undefined ? 'Fréchet distance' : 'FID';
  const counts = `${real.statistics.n ?? 'unknown'} real, ${fake.statistics.n ?? 'unknown'} fake`;
  return [`${name} ${result.frechet_distance.toFixed(4)} (${counts}; ${networkText(network)})`, ...scoreLines(result)].join('\n');
}

export function scoreLines(result: Partial<Scores>): string[] {
  const { inception_score: score, inception_score_std: scoreStd, kid, kid_std: kidStd, precision, recall } = result;
  const lines: string[] = [];
  if (score !== undefined) lines.push(`Inception Score ${score.toFixed(4)} ± ${scoreStd!.toFixed(4)}`);
  if (kid !== undefined) lines.push(`KID ${kid.toPrecision(6)} ± ${kidStd!.toPrecision(6)}`);
  if (precision !== undefined) lines.push(`precision ${precision.toFixed(4)}, recall ${recall!.toFixed(4)}`);
  return lines;
}

export function networkText(network: Network | undefined): string {
  return network ? `${network.label}, weights ${network.digest.slice(0, 12)}` : 'features of unknown origin';
}

export function warnOfFew(n: number | undefined, path: string, width: number, report: Report): void {
  const least = Math.max(USUAL_LEAST, width + 1);
  if (n !== undefined && n < least) {
    report.warn(`${path} has ${n} rows; below ${least} the distance is biased upwards: compare only with equal counts`);
  }
}
