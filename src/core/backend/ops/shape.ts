/** Operations that move values without changing them. */

import { constant, execute, execute1, int, ints, scalar, type } from '../executor.js';
import { differentiable } from '../gradient.js';
import { sameShape, size, type Tensor } from '../tensor.js';

export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (size(shape) !== size(x.shape)) throw new Error(`reshape: [${x.shape}] does not fit [${shape}]`);
  const attributes = { T: type(x.dtype), Tshape: type('int32') };
  const y = execute1('Reshape', attributes, [x, ints(shape)], { shape, dtype: x.dtype });
  return differentiable(y, [x], (dy) => [() => reshape(dy, x.shape)]);
}

export function concat(parts: readonly Tensor[], axis: number): Tensor {
  if (parts.length === 1) return parts[0];
  const sizes = parts.map((part) => part.shape[axis]);
  const shape = parts[0].shape.map((n, i) => (i === axis ? sizes.reduce((a, b) => a + b, 0) : n));
  const { dtype } = parts[0];
  const attributes = { T: type(dtype), Tidx: type('int32'), N: int(parts.length) };
  const y = execute1('ConcatV2', attributes, [...parts, scalar(axis, 'int32')], { shape, dtype });
  return differentiable(y, parts, (dy) => {
    let split: Tensor[] | undefined;
    return parts.map((_, i) => () => (split ??= splitSizes(dy, sizes, axis))[i]);
  });
}

/** Pieces of the given sizes along an axis. */
export function splitSizes(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  if (sizes.length === 1) return [x];
  const attributes = { T: type(x.dtype), Tlen: type('int32'), num_split: int(sizes.length) };
  const specs = sizes.map((n) => ({ shape: x.shape.map((m, i) => (i === axis ? n : m)), dtype: x.dtype }));
  const outputs = execute('SplitV', attributes, [x, ints(sizes), scalar(axis, 'int32')], specs);
  return outputs.map((output, piece) =>
    differentiable(output, [x], (dy) => [
      () => pad(dy, total(sizes.slice(0, piece)), total(sizes.slice(piece + 1)), axis),
    ]),
  );
}

const total = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0);

/** `count` rows from row `first` on, an int32 scalar; without a gradient. */
export function rows(x: Tensor, first: Tensor, count: number): Tensor {
  const begin = stack([first, ...x.shape.slice(1).map(() => scalar(0, 'int32'))]);
  const shape = [count, ...x.shape.slice(1)];
  return execute1('Slice', { T: type(x.dtype), Index: type('int32') }, [x, begin, ints(shape)], {
    shape,
    dtype: x.dtype,
  });
}

/** Zeros before and after along an axis. */
export function pad(x: Tensor, before: number, after: number, axis: number): Tensor {
  const paddings = Int32Array.from(x.shape.flatMap((_, i) => (i === axis ? [before, after] : [0, 0])));
  const pairs = constant(paddings, [x.shape.length, 2]);
  const shape = x.shape.map((n, i) => (i === axis ? before + n + after : n));
  const attributes = { T: type(x.dtype), Tpaddings: type('int32') };
  const y = execute1('Pad', attributes, [x, pairs], { shape, dtype: x.dtype });
  return differentiable(y, [x], (dy) => [() => splitSizes(dy, [before, x.shape[axis], after], axis)[1]]);
}

/** The order of one axis reversed. */
export function reverse(x: Tensor, axis: number): Tensor {
  const y = execute1('ReverseV2', { T: type(x.dtype), Tidx: type('int32') }, [x, ints([axis])], {
    shape: x.shape,
    dtype: x.dtype,
  });
  return differentiable(y, [x], (dy) => [() => reverse(dy, axis)]);
}

/** The last two axes exchanged. */
export function transposeLast(x: Tensor): Tensor {
  const rank = x.shape.length;
  const order = [...x.shape.keys()].map((i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  const y = execute1('Transpose', { T: type(x.dtype), Tperm: type('int32') }, [x, ints(order)], {
    shape: order.map((i) => x.shape[i]),
    dtype: x.dtype,
  });
  return differentiable(y, [x], (dy) => [() => transposeLast(dy)]);
}

/** Scalars as one vector, so that they can be read in one go. */
export function stack(scalars: readonly Tensor[]): Tensor {
  const attributes = { T: type(scalars[0].dtype), N: int(scalars.length), axis: int(0) };
  return execute1('Pack', attributes, scalars, { shape: [scalars.length], dtype: scalars[0].dtype });
}

/** Nearest-neighbour enlargement [n,h,w,c] → [n,2h,2w,c]; two concatenations are the quickest form on a CPU. */
export function upsample2(x: Tensor): Tensor {
  const [n, h, w, c] = x.shape;
  const columns = reshape(concat([reshape(x, [n * h * w, 1, c]), reshape(x, [n * h * w, 1, c])], 1), [
    n * h,
    1,
    2 * w * c,
  ]);
  return reshape(concat([columns, columns], 1), [n, 2 * h, 2 * w, c]);
}
