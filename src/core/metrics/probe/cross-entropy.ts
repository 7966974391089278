/**
 * Cross-entropy of a linear classifier over all rows, and its gradient: summed chunk by chunk, so that memory is
 * bounded.
 */
import type { EagerExecutor } from '../../backend/eager.js';
import { sparseCrossEntropy } from '../../backend/ops/search.js';
import { add, constant, matMul, mul, sum } from '../../backend/ops.js';
import type { Evaluation } from './lbfgs.js';
import type { RowTensors } from './row-tensors.js';

export interface CrossEntropySettings {
  rows: RowTensors;
  /** Column of each row's class. */
  columns: Int32Array;
  classes: number;
  /** Whether a row counts. */
  counts(row: number): boolean;
  /** Rows done in the current evaluation. */
  onRows?(done: number): void;
}

/**
 * Mean cross-entropy + penalty/2·|W|² at x = [W (width × classes), b (classes)], in nats. Chunks are multiplied in
 * float32 and summed in double precision.
 */
export type CrossEntropy = (x: Float64Array, penalty: number) => Promise<Evaluation>;

export function createCrossEntropy(
  engine: EagerExecutor,
  { rows, columns, classes, counts, onRows }: CrossEntropySettings,
): CrossEntropy {
  const { width } = rows;
  const split = width * classes;
  const weights = Float32Array.from(columns, (_, row) => (counts(row) ? 1 : 0));
  const all = weights.every((weight) => weight === 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);

  return async (x, penalty) => {
    const weight = constant(new Float32Array(x.subarray(0, split)), [width, classes]);
    const bias = constant(new Float32Array(x.subarray(split)), [classes]);
    // Of the weights transposed, [classes, width]: the product is faster that way round.
    const slopes = new Float64Array(split);
    const gradient = new Float64Array(x.length);
    let value = 0;
    for await (const { first, count, data } of rows.chunks()) {
      engine.scope(() => {
        const labels = constant(columns.slice(first, first + count), [count]);
        const { loss, gradient: error } = sparseCrossEntropy(add(matMul(data, weight), bias), labels);
        const used = all ? error : mul(error, constant(weights.slice(first, first + count), [count, 1]));
        value += weightedSum(engine.read(loss) as Float32Array, weights, first);
        accumulate(slopes, engine.read(matMul(used, data, true)) as Float32Array, 0);
        accumulate(gradient, engine.read(sum(used, [0])) as Float32Array, split);
      });
      onRows?.(first + count);
    }
    engine.dispose(weight, bias);
    let squares = 0;
    for (let j = 0, i = 0; j < width; j++) {
      for (let c = 0; c < classes; c++, i++) {
        gradient[i] = slopes[c * width + j] / total + penalty * x[i];
        squares += x[i] * x[i];
      }
    }
    for (let i = split; i < gradient.length; i++) gradient[i] /= total;
    return { value: value / total + (penalty / 2) * squares, gradient };
  };
}

function weightedSum(values: Float32Array, weights: Float32Array, first: number): number {
  let result = 0;
  for (let i = 0; i < values.length; i++) result += values[i] * weights[first + i];
  return result;
}

function accumulate(target: Float64Array, values: Float32Array, at: number): void {
  for (let i = 0; i < values.length; i++) target[at + i] += values[i];
}
