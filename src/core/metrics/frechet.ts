/** Fréchet distance between two Gaussians (Dowson & Landau 1982; Heusel et al. 2017, where it is called FID). */
import type { EagerExecutor } from '../backend/eager.js';
import { matMul64, symmetricEigen } from '../backend/float64.js';
import { type Factor, semidefiniteFactor } from '../backend/semidefinite-factor.js';
import { expected } from '../errors.js';
import type { Statistics } from './statistics.js';

/**
 * |m1 - m2|² + tr S1 + tr S2 - 2 tr √(S1^½ S2 S1^½), in double precision; finite for covariances of any rank.
 * With S1 = AᵀA and S2 = BᵀB the last trace is the sum of the roots of the eigenvalues of M·Mᵀ, M = A·Bᵀ: no matrix
 * square root and no complex numbers. Rounding may leave a value slightly below 0 for equal inputs; it is given as it
 * is.
 */
export function frechetDistance(engine: EagerExecutor, a: Statistics, b: Statistics): number {
  const width = a.mean.length;
  if (b.mean.length !== width) throw new RangeError(`statistics of width ${width} and ${b.mean.length}`);
  let distance = 0;
  for (let j = 0; j < width; j++) {
    distance += (a.mean[j] - b.mean[j]) ** 2;
    distance += a.covariance[j * width + j] + b.covariance[j * width + j];
  }
  return distance - 2 * sharedTrace(engine, a.covariance, b.covariance, width);
}

function sharedTrace(engine: EagerExecutor, s1: Float64Array, s2: Float64Array, width: number): number {
  const [a, b] = [s1, s2].map((covariance) => factor(engine, covariance, width));
  if (a.rank === 0 || b.rank === 0) return 0;
  const product = matMul64(engine, a.rows, b.rows, [a.rank, width, b.rank], { transposeB: true });
  // The factors' rows shrink from first to last, which keeps the digits of small eigenvalues of the square.
  const square = matMul64(engine, product, product, [a.rank, b.rank, a.rank], { transposeB: true });
  const { values } = symmetricEigen(engine, square, a.rank, false);
  // No more than b.rank are above 0; the others are rounding.
  return values.slice(-b.rank).reduce((sum, value) => sum + Math.sqrt(Math.max(value, 0)), 0);
}

function factor(engine: EagerExecutor, covariance: Float64Array, width: number): Factor {
  const result = semidefiniteFactor(engine, covariance, width);
  let trace = 0;
  for (let j = 0; j < width; j++) trace += covariance[j * width + j];
  const found = result.rows.reduce((sum, value) => sum + value * value, 0);
  // Where there is a factor, the two are equal up to rounding.
  if (Math.abs(found - trace) > 1e-6 * trace) {
    throw expected(
      'a positive semidefinite matrix',
      'a covariance',
      `one of trace ${trace} whose factor has ${found}`,
      'the statistics are damaged',
    );
  }
  return result;
}
