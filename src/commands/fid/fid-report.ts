/** How `bigbigan fid` tells its numbers and what they were made of. */
import type { Scores } from '../../core/evaluation/fid/compare.js';
import type { OpenSide, Side } from '../../core/evaluation/fid/side.js';
import type { Network } from '../../core/evaluation/fid/statistics-file.js';
import type { Report } from '../report.js';
import type { FidOptions } from './fid-checks.js';

export function describe({ path, kind, statistics, sourceDigest, resize, network }: Side) {
  const origin = network ? networkText(network) : null;
  return { path, kind, n: statistics.n ?? null, digest: sourceDigest ?? null, resize: resize ?? null, network: origin };
}

export function describeNetwork(network: Network | undefined, width: number) {
  const { name = null, label = null, mode = null, digest = null, precision = null } = network ?? {};
  return { name, label, mode, digest, precision, width };
}

/** What decides the numbers beside the images and the network. */
export function protocol({ metrics, splits, kidSubsets, kidSubsetSize, prNeighbours, seed }: FidOptions) {
  return {
    covariance: 'divided by n - 1',
    inception_score: metrics.includes('is')
      ? { splits, order: 'of the set', logits: 'without bias where known' }
      : undefined,
    kid: metrics.includes('kid')
      ? { kernel: '(x.y / width + 1)^3', subsets: kidSubsets, subset_size: kidSubsetSize, seed }
      : undefined,
    precision_recall: metrics.includes('pr') ? { neighbours: prNeighbours } : undefined,
  };
}

export function scoreText(result: Scores, real: Side, fake: Side, network: Network | undefined): string {
  const name = result.fid === undefined ? 'Fréchet distance' : 'FID';
  const counts = `${real.statistics.n ?? 'unknown'} real, ${fake.statistics.n ?? 'unknown'} fake`;
  return [
    `${name} ${result.frechet_distance.toFixed(4)} (${counts}; ${networkText(network)})`,
    ...scoreLines(result),
  ].join('\n');
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
  if (!network) return 'features of unknown origin';
  const { label, digest, precision } = network;
  return [label, `weights ${digest.slice(0, 12)}`, ...(precision ? [precision] : [])].join(', ');
}

/** The rank of a covariance is less than the rows, so that it takes one more of them than features. */
export function warnOfFew({ path, n, width }: OpenSide, report: Report): void {
  if (n === undefined || n > width) return;
  report.warn(
    `${path} has ${n} rows; below ${width + 1}, one more than features, the distance is biased upwards: compare only with equal counts`,
  );
}

/**
 * Mostly slips: the same path twice, the statistics of a set against the set itself, sets that were prepared in two
 * ways.
 */
export function warnOfPair([real, fake]: OpenSide[], report: Report): void {
  if (real.sourceDigest !== undefined && real.sourceDigest === fake.sourceDigest) {
    report.warn(
      `${real.path} and ${fake.path} are of the same data (SHA-256 ${real.sourceDigest.slice(0, 12)}), whose distance is 0`,
    );
  }
  if (real.resize !== undefined && fake.resize !== undefined && real.resize !== fake.resize) {
    report.warn(
      `${real.path} came to its size by ${real.resize}, ${fake.path} by ${fake.resize}: that counts as a difference too`,
    );
  }
}
