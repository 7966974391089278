/** Mean and covariance of features that arrive in pieces, in double precision. */
import type { EagerExecutor } from '../backend/eager.js';
import { matMul64 } from '../backend/float64.js';
import { expected } from '../errors.js';

export interface Statistics {
  /** Rows seen; unknown for statistics from a file that does not say. */
  n?: number;
  /** [width] */
  mean: Float64Array;
  /** [width, width], divided by n - 1. */
  covariance: Float64Array;
}

/** Sums over some rows of a set, from which those of the whole are joined exactly. */
export interface PartialSums {
  n: number;
  /** [width] */
  mean: Float64Array;
  /** Σ (x - mean)(x - mean)ᵀ, [width, width]. */
  scatter: Float64Array;
}

export interface Moments {
  /** Adds `count` rows [count, width]. */
  add(rows: Float32Array, count: number): void;
  /** The sums over all rows added. */
  sums(): PartialSums;
  /** The statistics of all rows added. Throws for fewer than 2. */
  result(): Statistics & { n: number };
}

export function noSums(width: number): PartialSums {
  return { n: 0, mean: new Float64Array(width), scatter: new Float64Array(width * width) };
}

/** Adds the sums of other rows to `total` in place, by the parallel-axis rule (Chan, Golub & LeVeque 1979). */
export function addSums(total: PartialSums, { n, mean, scatter }: PartialSums): void {
  if (n === 0) return;
  const width = mean.length;
  const all = total.n + n;
  const between = (total.n * n) / all;
  const shift = mean.map((value, j) => value - total.mean[j]);
  for (let i = 0, at = 0; i < width; i++) {
    const factor = between * shift[i];
    for (let j = 0; j < width; j++, at++) total.scatter[at] += scatter[at] + factor * shift[j];
  }
  for (let j = 0; j < width; j++) total.mean[j] += (shift[j] * n) / all;
  total.n = all;
}

/** Throws for sums over fewer than 2 rows. */
export function statisticsFrom({ n, mean, scatter }: PartialSums): Statistics & { n: number } {
  if (n < 2) throw expected('2 rows or more', 'a covariance', `${n}`);
  return { n, mean: mean.slice(), covariance: scatter.map((value) => value / (n - 1)) };
}

/** Rows gathered before they are multiplied; fixed, so that the result does not depend on how rows arrive. */
const BLOCK = 1024;

/**
 * Each block is centred by its own mean before it is squared, which keeps every digit of features with a large mean.
 */
export function createMoments(engine: EagerExecutor, width: number): Moments {
  const block = new Float64Array(BLOCK * width);
  let filled = 0;
  const total = noSums(width);

  const fold = () => {
    if (filled === 0) return;
    const rows = block.slice(0, filled * width);
    const mean = centre(rows, width);
    const scatter = matMul64(engine, rows, rows, [width, filled, width], { transposeA: true });
    addSums(total, { n: filled, mean, scatter });
    filled = 0;
  };

  return {
    add(rows, count) {
      for (let first = 0; first < count; ) {
        const taken = Math.min(BLOCK - filled, count - first);
        block.set(rows.subarray(first * width, (first + taken) * width), filled * width);
        filled += taken;
        first += taken;
        if (filled === BLOCK) fold();
      }
    },
    sums() {
      fold();
      return total;
    },
    result() {
      fold();
      return statisticsFrom(total);
    },
  };
}

/** Subtracts the mean of the rows [n, width] in place and returns it. */
function centre(rows: Float64Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  const n = rows.length / width;
  for (let at = 0; at < rows.length; at += width) for (let j = 0; j < width; j++) mean[j] += rows[at + j];
  for (let j = 0; j < width; j++) mean[j] /= n;
  for (let at = 0; at < rows.length; at += width) for (let j = 0; j < width; j++) rows[at + j] -= mean[j];
  return mean;
}
