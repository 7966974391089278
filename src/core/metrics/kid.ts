/** Kernel Inception Distance (Bińkowski et al. 2018): the squared maximum mean discrepancy of two sets of features. */
import type { EagerExecutor } from '../backend/eager.js';
import { matMul64 } from '../backend/float64.js';
import { integerRandom, permutation } from '../data/random.js';
import { expected } from '../errors.js';
import { gather, type Rows } from './rows.js';

export interface KidSettings {
  /** Random subsets of each set that are compared. */
  subsets: number;
  /** Rows of a subset, drawn without repetition. */
  subsetSize: number;
  seed: number;
  onSubset?(done: number, total: number): void;
}

export interface Kid {
  /** Mean of the estimates of all subsets; the estimate is unbiased, so it may lie below 0. */
  mean: number;
  /** Their standard deviation, divided by their number. */
  std: number;
}

/** Throws for a set that has fewer rows than a subset. */
export async function kernelDistance(engine: EagerExecutor, a: Rows, b: Rows, settings: KidSettings): Promise<Kid> {
  const { subsets, subsetSize, seed, onSubset } = settings;
  checkSubset(Math.min(a.rows, b.rows), subsetSize);
  const values: number[] = [];
  for (let i = 0; i < subsets; i++) {
    // A stream for each set and subset: what is drawn of one does not depend on the size of the other.
    const draw = (rows: Rows, set: number) => gather(rows, kidSubset(rows.rows, subsetSize, seed, i, set));
    values.push(polynomialMmd(engine, await draw(a, 0), await draw(b, 1), subsetSize, a.width));
    onSubset?.(i + 1, subsets);
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / subsets;
  return { mean, std: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / subsets) };
}

export function checkSubset(rows: number, subsetSize: number, name = 'a set'): void {
  if (subsetSize < 2) throw expected('2 rows or more', 'a subset of KID', `${subsetSize}`);
  if (rows < subsetSize) {
    throw expected(
      `${subsetSize} rows or more, the size of a subset,`,
      `KID of ${name}`,
      `${rows}`,
      'add rows, or take smaller subsets',
    );
  }
}

/** The rows of a subset: different ones, a random choice that the seed decides. */
export function kidSubset(rows: number, size: number, seed: number, subset: number, set: number): Uint32Array {
  return permutation(rows, integerRandom(seed, subset, set)).subarray(0, size);
}

/** The unbiased estimate of MMD² with the kernel (x·y / width + 1)³, for x and y [rows, width], in double precision. */
export function polynomialMmd(
  engine: EagerExecutor,
  x: Float32Array,
  y: Float32Array,
  rows: number,
  width: number,
): number {
  const [a, b] = [Float64Array.from(x), Float64Array.from(y)];
  const within = (rows * (rows - 1)) / 2;
  return (
    pairSum(engine, a, a, rows, width) / within +
    pairSum(engine, b, b, rows, width) / within -
    2 * (pairSum(engine, a, b, rows, width) / (rows * rows))
  );
}

/**
 * The kernel's sum over all pairs of a row of `a` and one of `b`; of a set with itself, over pairs of different rows,
 * once each.
 */
function pairSum(engine: EagerExecutor, a: Float64Array, b: Float64Array, rows: number, width: number): number {
  const products = matMul64(engine, a, b, [rows, width, rows], { transposeB: true });
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = a === b ? i + 1 : 0; j < rows; j++) {
      const value = products[i * rows + j] / width + 1;
      sum += value * value * value;
    }
  }
  return sum;
}
