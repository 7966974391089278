/** A tensor is a handle: what it holds lives in the engine, or nowhere yet while a graph is traced. */

export type DType = 'float32' | 'float64' | 'int32' | 'int64' | 'uint8' | 'bool' | 'bfloat16' | 'resource';

/** TensorFlow's DataType enumeration (types.proto). */
export const TF_DTYPE: Record<DType, number> = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  resource: 20,
};

export interface Tensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** How it was computed, when a gradient may be asked for (see gradient.ts). */
  readonly node?: GradientNode;
}

/** One step of the computation, as the backward pass sees it. */
export interface GradientNode {
  /** Nodes are numbered as they are made: a node's inputs have smaller numbers. */
  readonly order: number;
  readonly inputs: readonly Tensor[];
  /** From the gradient of the output, one thunk an input; undefined where no gradient flows. */
  readonly backward: (dy: Tensor) => Array<(() => Tensor) | undefined>;
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}
