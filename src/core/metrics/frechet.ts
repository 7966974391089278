/** Fréchet distance between two Gaussians (Dowson & Landau 1982; Heusel et al. 2017, where it is called FID). */
import type { EagerExecutor } from '../backend/eager.js';
import { matMul64, symmetricEigen } from '../backend/float64.js';
import { singularValues } from '../backend/singular-values.js';
import type { Statistics } from './statistics.js';

/**
 * |m1 - m2|² + tr S1 + tr S2 - 2 tr √(S1^½ S2 S1^½), in double precision; finite for covariances of any rank.
 * With S1 = A·Aᵀ and S2 = B·Bᵀ the last trace is the sum of the singular values of Aᵀ·B: no matrix square root and
 * no complex numbers. Rounding may leave a value slightly below 0 for equal inputs; it is given as it is.
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
  const a = factor(engine, s1, width);
  const b = factor(engine, s2, width);
  if (a.rank === 0 || b.rank === 0) return 0;
  const product = matMul64(engine, a.columns, b.columns, [a.rank, width, b.rank], { transposeA: true });
  return singularValues(engine, product, a.rank, b.rank).reduce((sum, value) => sum + value, 0);
}

/** Columns A [width, rank] with A·Aᵀ = S; what is no more than rounding of a zero eigenvalue is left out. */
function factor(engine: EagerExecutor, matrix: Float64Array, width: number): { columns: Float64Array; rank: number } {
  const { values, vectors } = symmetricEigen(engine, matrix, width, true);
  const smallest = Math.max(values[width - 1], 0) * width * Number.EPSILON;
  const rank = values.filter((value) => value > smallest).length;
  const skipped = width - rank;
  const columns = new Float64Array(width * rank);
  for (let j = 0; j < rank; j++) {
    const root = Math.sqrt(values[skipped + j]);
    for (let i = 0; i < width; i++) columns[i * rank + j] = vectors[i * width + skipped + j] * root;
  }
  return { columns, rank };
}
