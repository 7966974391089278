/** What L-BFGS on a logistic regression starts from as its second derivative, so that correlated features cost no iterations. */
import type { EagerExecutor } from '../backend/eager.js';
import { inverse64 } from '../backend/float64.js';
import { constant, matMul } from '../backend/ops.js';
import { type Rows, chunks } from './rows.js';

/** Wider features go without: their matrix would take more memory than a pass takes time. */
const WIDEST = 4096;
/** Rows for each column that the estimate is made of. */
const ROWS_PER_COLUMN = 8;
/** Weight of the identity in the estimate: columns that are rarely other than 0 are badly known from a sample. */
const SHRINKAGE = 0.3;

/**
 * The inverse of ½·XᵀX/n + penalty, applied to the weights of each class: Böhning's bound (1992) of the second
 * derivative, with XᵀX/n from evenly spaced blocks of the rows, which must be standardised. Undefined where it does not pay.
 */
export async function curvature(engine: EagerExecutor, rows: Rows, classes: number) {
  const { width } = rows;
  if (width > WIDEST) return undefined;
  const moments = await secondMoments(engine, rows);
  return (penalty: number) => {
    const bound = moments.map((value, i) => ((1 - SHRINKAGE) * value) / 2 + (i % (width + 1) === 0 ? SHRINKAGE / 2 + penalty : 0));
    const inverse = constant(Float32Array.from(inverse64(engine, bound, width)), [width, width]);
    const apply = (gradient: Float64Array): Float64Array => {
      const split = width * classes;
      const result = new Float64Array(gradient.length);
      engine.scope(() => {
        const weights = constant(Float32Array.from(gradient.subarray(0, split)), [width, classes]);
        result.set(engine.read(matMul(inverse, weights)) as Float32Array);
      });
      // The bias is a column of ones.
      for (let i = split; i < gradient.length; i++) result[i] = 2 * gradient[i];
      return result;
    };
    return { apply, dispose: () => engine.dispose(inverse) };
  };
}

/** XᵀX/n of a sample. */
async function secondMoments(engine: EagerExecutor, rows: Rows): Promise<Float64Array> {
  const { width } = rows;
  const sample = sampled(rows, ROWS_PER_COLUMN * width);
  const sums = new Float64Array(width * width);
  for await (const { count, data } of chunks(sample)) {
    const product = engine.scope(() => {
      const x = constant(data, [count, width]);
      return engine.read(matMul(x, x, true)) as Float32Array;
    });
    for (let i = 0; i < sums.length; i++) sums[i] += product[i] / sample.rows;
  }
  return sums;
}

const BLOCK = 64;

/** About `wanted` rows in evenly spaced blocks. */
function sampled(source: Rows, wanted: number): Rows {
  if (source.rows <= wanted) return source;
  const blocks = Math.max(1, Math.floor(Math.min(wanted, source.rows) / BLOCK));
  const stride = Math.floor(source.rows / blocks);
  const size = Math.min(BLOCK, stride);
  const read = async (first: number, count: number) => {
    const result = new Float32Array(count * source.width);
    for (let done = 0; done < count; ) {
      const row = first + done;
      const inside = row % size;
      const taken = Math.min(size - inside, count - done);
      result.set(await source.read(Math.floor(row / size) * stride + inside, taken), done * source.width);
      done += taken;
    }
    return result;
  };
  return { rows: blocks * size, width: source.width, read };
}
