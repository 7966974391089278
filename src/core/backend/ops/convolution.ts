/** Convolution and pooling on NHWC images. */
import { differentiable } from '../gradient.js';
import { type Attributes, execute1, int, ints, string, type } from '../executor.js';
import type { Tensor } from '../tensor.js';

/** x [n,h,w,c] with kernel [kh,kw,c,filters] (HWIO), padding SAME. */
export function conv2d(x: Tensor, kernel: Tensor, stride = 1): Tensor {
  const [n, h, w, c] = x.shape;
  if (kernel.shape[2] !== c) throw new Error(`conv2d: the kernel [${kernel.shape}] does not fit [${x.shape}]`);
  const shape = [n, Math.ceil(h / stride), Math.ceil(w / stride), kernel.shape[3]];
  const attributes: Attributes = {
    T: type(x.dtype),
    strides: int([1, stride, stride, 1]),
    padding: string('SAME'),
    data_format: string('NHWC'),
  };
  const y = execute1('Conv2D', attributes, [x, kernel], { shape, dtype: x.dtype });
  const { dtype } = x;
  return differentiable(y, [x, kernel], (dy) => [
    () => execute1('Conv2DBackpropInput', attributes, [ints(x.shape), kernel, dy], { shape: x.shape, dtype }),
    () => execute1('Conv2DBackpropFilter', attributes, [x, ints(kernel.shape), dy], { shape: kernel.shape, dtype }),
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
  const [n, h, w, c] = x.shape;
  const attributes: Attributes = {
    T: type(x.dtype),
    ksize: int([1, 2, 2, 1]),
    strides: int([1, 2, 2, 1]),
    padding: string('SAME'),
    data_format: string('NHWC'),
  };
  const shape = [n, Math.ceil(h / 2), Math.ceil(w / 2), c];
  const y = execute1('AvgPool', attributes, [x], { shape, dtype: x.dtype });
  return differentiable(y, [x], (dy) => [
    () => execute1('AvgPoolGrad', attributes, [ints(x.shape), dy], { shape: x.shape, dtype: x.dtype }),
  ]);
}
