/**
 * What L-BFGS on a logistic regression starts from as its second derivative, so that correlated features cost no
 * iterations.
 */
import type { EagerExecutor } from '../../backend/eager.js';
import { inverse64 } from '../../backend/float64.js';
import { gatherRows } from '../../backend/ops/search.js';
import { constant, matMul, mul, sum } from '../../backend/ops.js';
import type { RowTensors } from './row-tensors.js';

/** Wider features go without: their matrix would take more memory than a pass takes time. */
export const WIDEST = 4096;
/** Rows for each column that the estimate is made of. */
const ROWS_PER_COLUMN = 8;
/** Rows of the sample that are multiplied at a time. */
const BLOCK = 2048;
/** Weight of the identity in the estimate: it is made of a sample. */
const SHRINKAGE = 0.3;

/**
 * The inverse of ½·XᵀX/n + penalty, applied to the weights of each class: Böhning's bound (1992) of the second
 * derivative, with XᵀX/n from a sample of the rows, which must be standardised. Undefined where it does not pay.
 */
export async function curvature(engine: EagerExecutor, rows: RowTensors, classes: number) {
  const { width } = rows;
  if (width > WIDEST) return undefined;
  const moments = await secondMoments(engine, rows);
  return (penalty: number) => {
    const bound = new Float64Array(moments);
    for (let i = 0; i < bound.length; i++) bound[i] *= (1 - SHRINKAGE) / 2;
    for (let j = 0; j < width; j++) bound[j * (width + 1)] += SHRINKAGE / 2 + penalty;
    const inverse = constant(new Float32Array(inverse64(engine, bound, width)), [width, width]);
    const apply = (gradient: Float64Array): Float64Array => {
      const split = width * classes;
      const result = new Float64Array(gradient.length);
      engine.scope(() => {
        const weights = constant(new Float32Array(gradient.subarray(0, split)), [width, classes]);
        result.set(engine.read(matMul(inverse, weights)) as Float32Array);
      });
      // The bias is a column of ones.
      for (let i = split; i < gradient.length; i++) result[i] = 2 * gradient[i];
      return result;
    };
    return { apply, dispose: () => engine.dispose(inverse) };
  };
}

/**
 * XᵀX/n of a sample. A row's chance of being in it goes with its squared length, and what it counts with the inverse:
 * columns that are rarely other than 0 have few rows, but these are long, and an even sample misses them. Rows are
 * taken where the sum of the squared lengths passes a multiple of a step, so that no chance is involved. The sum over
 * all rows is known: each standardised column has n.
 */
async function secondMoments(engine: EagerExecutor, rows: RowTensors): Promise<Float32Array> {
  const { width } = rows;
  const step = rows.rows / ROWS_PER_COLUMN;
  const sums = new Float32Array(width * width);
  const sample = new Float32Array(BLOCK * width);
  let [filled, passed] = [0, 0];
  const addProducts = () => {
    const products = engine.scope(() => {
      const x = constant(sample.slice(0, filled * width), [filled, width]);
      return engine.read(matMul(x, x, true)) as Float32Array;
    });
    for (let i = 0; i < sums.length; i++) sums[i] += products[i];
    filled = 0;
  };
  for await (const { data } of rows.chunks()) {
    engine.scope(() => {
      const lengths = engine.read(sum(mul(data, data), [1])) as Float32Array;
      const taken: number[] = [];
      const factors: number[] = [];
      lengths.forEach((length, row) => {
        const before = Math.floor(passed / step);
        passed += length;
        const times = Math.floor(passed / step) - before;
        if (times === 0) return;
        taken.push(row);
        factors.push(Math.sqrt((times * step) / length / rows.rows));
      });
      for (let at = 0; at < taken.length; at += BLOCK) {
        const indices = Int32Array.from(taken.slice(at, at + BLOCK));
        if (filled + indices.length > BLOCK) addProducts();
        const picked = gatherRows(data, constant(indices, [indices.length]));
        const weighted = mul(picked, constant(Float32Array.from(factors.slice(at, at + BLOCK)), [indices.length, 1]));
        sample.set(engine.read(weighted) as Float32Array, filled * width);
        filled += indices.length;
      }
    });
  }
  if (filled > 0) addProducts();
  return sums;
}
