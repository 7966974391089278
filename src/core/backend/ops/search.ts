/** Operations of searching and classifying, without gradients. */
import { bool, execute, execute1, int, ints, scalar, type } from '../executor.js';
import type { Tensor } from '../tensor.js';

/** The k largest of each row of [m, n], largest first; among equals the one of the lower index. */
export function topK(x: Tensor, k: number): { values: Tensor; indices: Tensor } {
  const [m] = x.shape;
  const attributes = { T: type(x.dtype), Tk: type('int32'), index_type: type('int32'), sorted: bool(true) };
  const [values, indices] = execute(
    'TopKV2',
    attributes,
    [x, scalar(k, 'int32')],
    [
      { shape: [m, k], dtype: x.dtype },
      { shape: [m, k], dtype: 'int32' },
    ],
  );
  return { values, indices };
}

/** Class numbers int32 [n] to float32 [n, classes]: 1 at the class, 0 elsewhere. */
export function oneHot(labels: Tensor, classes: number): Tensor {
  const attributes = { T: type('float32'), TI: type('int32'), axis: int(-1) };
  const inputs = [labels, scalar(classes, 'int32'), scalar(1), scalar(0)];
  return execute1('OneHot', attributes, inputs, { shape: [labels.shape[0], classes], dtype: 'float32' });
}

/** The largest along an axis, the last one unless another is named, which goes away. */
export function largest(x: Tensor, axis = x.shape.length - 1): Tensor {
  const attributes = { T: type(x.dtype), Tidx: type('int32'), keep_dims: bool(false) };
  return execute1('Max', attributes, [x, ints([axis])], { shape: x.shape.toSpliced(axis, 1), dtype: x.dtype });
}

/** The rows of x [n, width] that `indices` int32 [m] name: [m, width]. */
export function gatherRows(x: Tensor, indices: Tensor): Tensor {
  const attributes = { Tparams: type(x.dtype), Tindices: type('int32'), Taxis: type('int32'), batch_dims: int(0) };
  const shape = [indices.shape[0], ...x.shape.slice(1)];
  return execute1('GatherV2', attributes, [x, indices, scalar(0, 'int32')], { shape, dtype: x.dtype });
}

/**
 * Cross-entropy [n] of scores [n, classes] with class numbers int32 [n], and its gradient [n, classes] for each row.
 */
export function sparseCrossEntropy(scores: Tensor, labels: Tensor): { loss: Tensor; gradient: Tensor } {
  const attributes = { T: type(scores.dtype), Tlabels: type('int32') };
  const [loss, gradient] = execute(
    'SparseSoftmaxCrossEntropyWithLogits',
    attributes,
    [scores, labels],
    [
      { shape: labels.shape, dtype: scores.dtype },
      { shape: scores.shape, dtype: scores.dtype },
    ],
  );
  return { loss, gradient };
}
