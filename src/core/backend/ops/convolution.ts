/** Convolution and pooling on NHWC images. */

import { type Attributes, execute1, fill, int, ints, string, type } from '../executor.js';
import { differentiable } from '../gradient.js';
import type { Tensor } from '../tensor.js';
import { add, scale } from './arithmetic.js';
import { concat, reverse, transposeLast } from './shape.js';

/** SAME: zeros around, so that stride alone sets the size. VALID: windows lie within the image. */
export type Padding = 'SAME' | 'VALID';

const places = (size: number, window: number, stride: number, padding: Padding) =>
  Math.ceil((padding === 'SAME' ? size : size - window + 1) / stride);

/** x [n,h,w,c] with kernel [kh,kw,c,filters] (HWIO). */
export function conv2d(x: Tensor, kernel: Tensor, stride = 1, padding: Padding = 'SAME'): Tensor {
  const [n, h, w, c] = x.shape;
  const [height, width, inputs, filters] = kernel.shape;
  if (inputs !== c) throw new Error(`conv2d: the kernel [${kernel.shape}] does not fit [${x.shape}]`);
  const shape = [n, places(h, height, stride, padding), places(w, width, stride, padding), filters];
  const attributes: Attributes = {
    T: type(x.dtype),
    strides: int([1, stride, stride, 1]),
    padding: string(padding),
    data_format: string('NHWC'),
  };
  const y = execute1('Conv2D', attributes, [x, kernel], { shape, dtype: x.dtype });
  const { dtype } = x;
  return differentiable(y, [x, kernel], (dy) => [
    () => execute1('Conv2DBackpropInput', attributes, [ints(x.shape), kernel, dy], { shape: x.shape, dtype }),
    () => {
      // oneDNN (of TensorFlow 2.21, with AVX-512) writes beyond its buffers for a kernel of one pixel, a stride, some
      // numbers of channels and a batch that threads do not share evenly. The pixels that the stride meets are all that
      // counts.
      const onePixel = height === 1 && width === 1 && stride > 1;
      const [seen, step] = onePixel ? [avgPool(x, 1, stride), int([1, 1, 1, 1])] : [x, attributes.strides];
      return execute1('Conv2DBackpropFilter', { ...attributes, strides: step }, [seen, ints(kernel.shape), dy], {
        shape: kernel.shape,
        dtype,
      });
    },
  ]);
}

/**
 * avgPool2(conv2d(x, kernel)) for a 3×3 kernel [3,3,c,filters] and even sizes, as one 4×4 convolution of stride 2 in
 * 0.44 of the arithmetic: the mean of four shifted kernels.
 */
export function conv2dPooled(x: Tensor, kernel: Tensor): Tensor {
  return conv2d(x, scale(shiftSum(shiftSum(kernel, 0), 1), 1 / 4), 2);
}

/** conv2d(upsample2(x), kernel) for a 3×3 kernel [3,3,c,filters], as one transposed 4×4 convolution of stride 2. */
export function conv2dUpsampled(x: Tensor, kernel: Tensor): Tensor {
  const shifted = shiftSum(shiftSum(kernel, 0), 1);
  return conv2dTransposed(x, transposeLast(reverse(reverse(shifted, 0), 1)));
}

/** Σ of the kernel and itself one place further along an axis, which grows by 1. */
function shiftSum(kernel: Tensor, axis: number): Tensor {
  const edge = fill(
    0,
    kernel.shape.map((n, i) => (i === axis ? 1 : n)),
  );
  return add(concat([kernel, edge], axis), concat([edge, kernel], axis));
}

/** x [n,h,w,c] with kernel [4,4,filters,c] → [n,2h,2w,filters]: what conv2d of stride 2 has as its gradient. */
function conv2dTransposed(x: Tensor, kernel: Tensor): Tensor {
  const [n, h, w] = x.shape;
  const { dtype } = x;
  const shape = [n, 2 * h, 2 * w, kernel.shape[2]];
  const attributes: Attributes = {
    T: type(dtype),
    strides: int([1, 2, 2, 1]),
    padding: string('SAME'),
    data_format: string('NHWC'),
  };
  // Height and width alone: TensorFlow takes the rest from x and the kernel, and the graph serves any batch.
  const y = execute1('Conv2DBackpropInput', attributes, [ints([2 * h, 2 * w]), kernel, x], { shape, dtype });
  return differentiable(y, [x, kernel], (dy) => [
    () => execute1('Conv2D', attributes, [dy, kernel], { shape: x.shape, dtype }),
    () => execute1('Conv2DBackpropFilter', attributes, [dy, ints(kernel.shape), x], { shape: kernel.shape, dtype }),
  ]);
}

/** x + bias, the bias [c] spread over all but the last axis. */
export function biasAdd(x: Tensor, bias: Tensor): Tensor {
  const attributes = { T: type(x.dtype), data_format: string('NHWC') };
  const y = execute1('BiasAdd', attributes, [x, bias], { shape: x.shape, dtype: x.dtype });
  return differentiable(y, [x, bias], (dy) => [
    () => dy,
    () => execute1('BiasAddGrad', attributes, [dy], { shape: bias.shape, dtype: x.dtype }),
  ]);
}

/** 2×2 average pool with stride 2; odd last rows and columns are pooled alone (SAME). */
export function avgPool2(x: Tensor): Tensor {
  return avgPool(x, 2, 2);
}

/**
 * Mean of each size×size window with a stride; windows at the edges are smaller and their means are over the pixels
 * inside (SAME).
 */
export function avgPool(x: Tensor, window: number, stride: number): Tensor {
  const { attributes, shape } = pooling(x, window, stride, 'SAME');
  const y = execute1('AvgPool', attributes, [x], { shape, dtype: x.dtype });
  return differentiable(y, [x], (dy) => [
    () => execute1('AvgPoolGrad', attributes, [ints(x.shape), dy], { shape: x.shape, dtype: x.dtype }),
  ]);
}

/** Largest of each size×size window with a stride; with SAME, windows at the edges are smaller. */
export function maxPool(x: Tensor, window: number, stride: number, padding: Padding = 'SAME'): Tensor {
  const { attributes, shape } = pooling(x, window, stride, padding);
  const y = execute1('MaxPool', attributes, [x], { shape, dtype: x.dtype });
  return differentiable(y, [x], (dy) => [
    () => execute1('MaxPoolGrad', attributes, [x, y, dy], { shape: x.shape, dtype: x.dtype }),
  ]);
}

function pooling(x: Tensor, window: number, stride: number, padding: Padding) {
  const [n, h, w, c] = x.shape;
  const attributes: Attributes = {
    T: type(x.dtype),
    ksize: int([1, window, window, 1]),
    strides: int([1, stride, stride, 1]),
    padding: string(padding),
    data_format: string('NHWC'),
  };
  return { attributes, shape: [n, places(h, window, stride, padding), places(w, window, stride, padding), c] };
}
