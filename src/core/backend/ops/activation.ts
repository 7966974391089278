/** Activations, each with TensorFlow's fused gradient. */

import { execute1, float, scalar, type } from '../executor.js';
import { differentiable } from '../gradient.js';
import type { Tensor } from '../tensor.js';
import { mul, sub, sum } from './arithmetic.js';

export function relu(x: Tensor): Tensor {
  const y = same('Relu', [x]);
  return differentiable(y, [x], (dy) => [() => same('ReluGrad', [dy, y])]);
}

export function tanh(x: Tensor): Tensor {
  const y = same('Tanh', [x]);
  return differentiable(y, [x], (dy) => [() => same('TanhGrad', [y, dy])]);
}

/** x where it is positive, slope · x elsewhere. */
export function leakyRelu(x: Tensor, slope: number): Tensor {
  const attributes = { T: type(x.dtype), alpha: float(slope) };
  const { shape, dtype } = x;
  return differentiable(execute1('LeakyRelu', attributes, [x], { shape, dtype }), [x], (dy) => [
    () => execute1('LeakyReluGrad', attributes, [dy, x], { shape, dtype }),
  ]);
}

/** log(1 + exp x). */
export function softplus(x: Tensor): Tensor {
  return differentiable(same('Softplus', [x]), [x], (dy) => [() => same('SoftplusGrad', [dy, x])]);
}

export function sigmoid(x: Tensor): Tensor {
  const y = same('Sigmoid', [x]);
  return differentiable(y, [x], (dy) => [() => mul(dy, mul(y, sub(scalar(1), y)))]);
}

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  const y = same('Softmax', [x]);
  return differentiable(y, [x], (dy) => [() => mul(sub(dy, sum(mul(dy, y), [y.shape.length - 1], true)), y)]);
}

function same(op: string, inputs: Tensor[]): Tensor {
  const [{ shape, dtype }] = inputs;
  return execute1(op, { T: type(dtype) }, inputs, { shape, dtype });
}
