/** Cross-entropy of a linear classifier over all rows, and its gradient: summed chunk by chunk, so that memory is bounded. */
import type { EagerExecutor } from '../backend/eager.js';
import { add, constant, matMul, mul, sum } from '../backend/ops.js';
import { sparseCrossEntropy } from '../backend/ops/search.js';
import type { Tensor } from '../backend/tensor.js';
import type { Evaluation } from './lbfgs.js';
import { type Rows, chunks } from './rows.js';

export interface CrossEntropy {
  /**
   * Mean cross-entropy + penalty/2·|W|² at x = [W (width × classes), b (classes)], in nats. Chunks are multiplied in
   * float32 and summed in double precision.
   */
  evaluate(x: Float64Array, penalty: number): Promise<Evaluation>;
  dispose(): void;
}

export interface CrossEntropySettings {
  rows: Rows;
  /** Column of each row's class. */
  columns: Int32Array;
  classes: number;
  /** Whether a row counts. */
  counts(row: number): boolean;
  /** Elements that may stay in the engine, default 2^27 (512 MB): what fits is read once. */
  memory?: number;
  /** Rows done in the evaluation at hand. */
  onRows?(done: number): void;
}

interface Chunk {
  first: number;
  count: number;
  data: Tensor;
}

/** Elements of a chunk, and of its scores. */
const CHUNK = 1 << 23;

export function createCrossEntropy(engine: EagerExecutor, settings: CrossEntropySettings): CrossEntropy {
  const { rows, columns, classes, counts, memory = 2 ** 27, onRows } = settings;
  const { width } = rows;
  const weights = Float32Array.from(columns, (_, row) => (counts(row) ? 1 : 0));
  const all = weights.every((weight) => weight === 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const fits = rows.rows * width <= memory;
  const kept: Chunk[] = [];
  const size = Math.min(CHUNK, Math.max(1, Math.floor(CHUNK / classes)) * width);

  async function* tensors(): AsyncGenerator<Chunk> {
    if (kept.length > 0) {
      yield* kept;
      return;
    }
    for await (const { first, count, data } of chunks(rows, size)) {
      const chunk = { first, count, data: constant(data, [count, width]) };
      if (fits) kept.push(chunk);
      yield chunk;
      if (!fits) engine.dispose(chunk.data);
    }
  }

  return {
    async evaluate(x, penalty) {
      const split = width * classes;
      const weight = constant(Float32Array.from(x.subarray(0, split)), [width, classes]);
      const bias = constant(Float32Array.from(x.subarray(split)), [classes]);
      const gradient = new Float64Array(x.length);
      let value = 0;
      for await (const { first, count, data } of tensors()) {
        engine.scope(() => {
          const labels = constant(columns.slice(first, first + count), [count]);
          const { loss, gradient: error } = sparseCrossEntropy(add(matMul(data, weight), bias), labels);
          const used = all ? error : mul(error, constant(weights.slice(first, first + count), [count, 1]));
          const losses = engine.read(loss) as Float32Array;
          for (let row = 0; row < count; row++) value += losses[row] * weights[first + row];
          accumulate(gradient, engine.read(matMul(data, used, true)) as Float32Array, 0);
          accumulate(gradient, engine.read(sum(used, [0])) as Float32Array, split);
        });
        onRows?.(first + count);
      }
      engine.dispose(weight, bias);
      let squares = 0;
      for (let i = 0; i < gradient.length; i++) {
        gradient[i] /= total;
        if (i >= split) continue;
        gradient[i] += penalty * x[i];
        squares += x[i] * x[i];
      }
      return { value: value / total + (penalty / 2) * squares, gradient };
    },
    dispose: () => engine.dispose(...kept.splice(0).map(({ data }) => data)),
  };
}

function accumulate(target: Float64Array, values: Float32Array, at: number): void {
  for (let i = 0; i < values.length; i++) target[at + i] += values[i];
}
