/**
 * Rows as standardised tensors, chunk by chunk: kept in the engine where they fit, read anew for each pass where they
 * do not.
 */
import type { EagerExecutor } from '../../backend/eager.js';
import { constant, mul, sub } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import { chunks, type Rows, type Standardisation } from '../rows.js';

export interface RowChunk {
  first: number;
  count: number;
  /** [count, width], standardised. */
  data: Tensor;
}

export interface RowTensors {
  rows: number;
  width: number;
  /** All rows in order; a chunk belongs to the caller until the next one is asked for. */
  chunks(): AsyncGenerator<RowChunk>;
  dispose(): void;
}

/** Elements of features that are kept, by default: 512 MB. */
export const KEPT = 2 ** 27;
/** Elements of a chunk: few enough that the second product with it finds it in a processor's cache. */
const CHUNK = 2 ** 20;
/** Rows of a chunk for each class, so that adding up gradients of [classes, width] costs little beside the products. */
const ROWS_PER_CLASS = 4;

export interface RowTensorSettings {
  scaling: Standardisation;
  classes: number;
  /** Elements that may be kept. */
  memory?: number;
}

export function rowTensors(
  engine: EagerExecutor,
  source: Rows,
  { scaling, classes, memory = KEPT }: RowTensorSettings,
): RowTensors {
  const { rows, width } = source;
  const fits = rows * width <= memory;
  const size = chunkRows(width, classes) * width;
  const kept: RowChunk[] = [];
  const mean = constant(Float32Array.from(scaling.mean), [width]);
  const factor = constant(Float32Array.from(scaling.factor), [width]);
  let complete = false;

  async function* read(): AsyncGenerator<RowChunk> {
    engine.dispose(...kept.splice(0).map(({ data }) => data));
    for await (const { first, count, data } of chunks(source, size)) {
      const chunk = { first, count, data: engine.scope(() => mul(sub(constant(data, [count, width]), mean), factor)) };
      if (fits) kept.push(chunk);
      yield chunk;
      if (!fits) engine.dispose(chunk.data);
    }
    complete = fits;
  }

  return {
    rows,
    width,
    async *chunks() {
      yield* complete ? kept : read();
    },
    dispose: () => engine.dispose(mean, factor, ...kept.splice(0).map(({ data }) => data)),
  };
}

export function chunkRows(width: number, classes: number): number {
  return Math.max(1, Math.floor(CHUNK / width), ROWS_PER_CLASS * classes);
}
