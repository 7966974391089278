/** Tensors passed on unchanged, under conditions that matter in a recorded graph; eagerly these do nothing. */

import { execute1, type } from '../executor.js';
import { differentiable } from '../gradient.js';
import type { Tensor } from '../tensor.js';

/**
 * x, once `others` are computed. TensorFlow runs whatever is ready: what is to be computed late, so that it does not
 * take up memory early, has to wait. Nor will TensorFlow merge it with the same computation elsewhere. No gradient.
 */
export function after(x: Tensor, others: readonly Tensor[]): Tensor {
  return execute1('Identity', { T: type(x.dtype) }, [x], { shape: x.shape, dtype: x.dtype }, others);
}

/** x in float32, and its gradient too, where the graph is rewritten for mixed precision (graph/bfloat16.ts). */
export function inFloat32(x: Tensor): Tensor {
  return differentiable(after(x, []), [x], (dy) => [() => after(dy, [])]);
}
