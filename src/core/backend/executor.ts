/**
 * Who carries out operations. The functions in ops/ describe what to compute; the active executor
 * decides how: at once in the engine (eager.ts), or not at all, for shapes and counts (dry.ts).
 */
import { type DType, size, type Tensor } from './tensor.js';

export type Attribute =
  | { kind: 'type'; value: DType }
  | { kind: 'int'; value: number | readonly number[] }
  | { kind: 'float'; value: number }
  | { kind: 'bool'; value: boolean }
  | { kind: 'string'; value: string }
  | { kind: 'shape'; value: readonly number[] };

export type Attributes = Record<string, Attribute>;

export const type = (value: DType): Attribute => ({ kind: 'type', value });
export const int = (value: number | readonly number[]): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const bool = (value: boolean): Attribute => ({ kind: 'bool', value });
export const string = (value: string): Attribute => ({ kind: 'string', value });
export const shapeOf = (value: readonly number[]): Attribute => ({ kind: 'shape', value });

export interface OutputSpec {
  shape: readonly number[];
  dtype: DType;
}

export type Values = Float32Array | Float64Array | Int32Array | Uint8Array;

export interface Executor {
  /**
   * Runs a TensorFlow op; `outputs` declares what it will give, as every op's shape is known beforehand. It runs when
   * those in `after` are computed, for executors that do not keep the order of calls.
   */
  execute(
    op: string,
    attributes: Attributes,
    inputs: readonly Tensor[],
    outputs: readonly OutputSpec[],
    after?: readonly Tensor[],
  ): Tensor[];
  /** A tensor of given values, which must not be changed afterwards: memory may be shared. */
  constant(values: Values, shape: readonly number[], dtype: DType): Tensor;
  /** Frees what `body` makes, except what it returns; missing where tensors hold no memory. */
  scope?<T>(body: () => T): T;
}

let active: Executor | undefined;

export function withExecutor<T>(executor: Executor, body: () => T): T {
  const outer = active;
  active = executor;
  try {
    return body();
  } finally {
    active = outer;
  }
}

/** Makes `executor` the one used outside any `withExecutor`. */
export function setExecutor(executor: Executor): void {
  active = executor;
}

function current(): Executor {
  if (!active) throw new Error('no executor is active: start the engine first');
  return active;
}

export function execute(
  op: string,
  attributes: Attributes,
  inputs: readonly Tensor[],
  outputs: readonly OutputSpec[],
): Tensor[] {
  return current().execute(op, attributes, inputs, outputs);
}

/** The common case of one output. */
export function execute1(
  op: string,
  attributes: Attributes,
  inputs: readonly Tensor[],
  output: OutputSpec,
  after?: readonly Tensor[],
): Tensor {
  return current().execute(op, attributes, inputs, [output], after)[0];
}

/** Runs a part of a computation, of which only what it returns is needed later. */
export function scoped<T>(body: () => T): T {
  const executor = current();
  return executor.scope ? executor.scope(body) : body();
}

/** A tensor from values; `values` must not be written to afterwards. */
export function constant(values: Values, shape: readonly number[], dtype?: DType): Tensor {
  if (values.length !== size(shape)) {
    throw new Error(`${values.length} values do not fill the shape [${shape}]`);
  }
  return current().constant(values, shape, dtype ?? dtypeOf(values));
}

export function scalar(value: number, dtype: 'float32' | 'int32' = 'float32'): Tensor {
  return constant(dtype === 'float32' ? Float32Array.of(value) : Int32Array.of(value), [], dtype);
}

/** A shape or a list of axes as the int32 vector that ops take. */
export function ints(values: readonly number[]): Tensor {
  return constant(Int32Array.from(values), [values.length], 'int32');
}

/** float32; an operation rather than a constant, so that nothing is allocated where nothing is run. */
export function fill(value: number, shape: readonly number[]): Tensor {
  const attributes = { T: type('float32'), index_type: type('int32') };
  return execute1('Fill', attributes, [ints(shape), scalar(value)], { shape, dtype: 'float32' });
}

function dtypeOf(values: Values): DType {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof Float64Array) return 'float64';
  if (values instanceof Int32Array) return 'int32';
  return 'uint8';
}
