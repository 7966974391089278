/** Runs nothing: every tensor is a shape. For counting parameters and for errors before any work. */
import type { Executor } from './executor.js';
import type { Tensor } from './tensor.js';

export function createDryExecutor(): Executor {
  let next = -1;
  const tensor = (shape: readonly number[], dtype: Tensor['dtype']): Tensor => ({ id: next--, shape, dtype });
  return {
    execute: (_op, _attributes, _inputs, outputs) => outputs.map(({ shape, dtype }) => tensor(shape, dtype)),
    constant: (_values, shape, dtype) => tensor(shape, dtype),
  };
}
