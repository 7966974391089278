/** Batch norm and spectral norm as single steps of the backward pass. */

import { type Attributes, bool, execute, fill, float, scalar, string, type } from '../executor.js';
import { differentiable, untracked } from '../gradient.js';
import type { Tensor } from '../tensor.js';
import { add, addScalar, div, matMul, maximum, mul, rsqrt, sub, sum } from './arithmetic.js';
import { reshape } from './shape.js';

/**
 * Batch norm of x [n,h,w,c] by the batch's own statistics.
 * @returns y, and the batch's mean and unbiased variance [c] (n·h·w − 1 in the denominator), without gradient.
 */
export function batchNorm(x: Tensor, scale: Tensor, offset: Tensor, epsilon: number) {
  const c = x.shape[3];
  const vector = { shape: [c], dtype: 'float32' as const };
  const attributes = batchNormAttributes(x, epsilon, true);
  const empty = fill(0, [0]);
  const [y, mean, variance, ...reserve] = execute(
    'FusedBatchNormV3',
    attributes,
    [x, scale, offset, empty, empty],
    [{ shape: x.shape, dtype: x.dtype }, vector, vector, vector, vector, { shape: [-1], dtype: 'float32' }],
  );
  const backward = (dy: Tensor) => {
    let grads: Tensor[] | undefined;
    return [0, 1, 2].map((i) => () => {
      grads ??= execute(
        'FusedBatchNormGradV3',
        attributes,
        [dy, x, scale, ...reserve],
        [
          { shape: x.shape, dtype: x.dtype },
          vector,
          vector,
          { shape: [-1], dtype: 'float32' },
          { shape: [-1], dtype: 'float32' },
        ],
      );
      return grads[i];
    });
  };
  return {
    y: differentiable(y, [x, scale, offset], backward),
    mean,
    variance,
  };
}

/** Batch norm of x [n,h,w,c] by given statistics [c]. The gradient treats them as constants. */
export function batchNormWith(
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  mean: Tensor,
  variance: Tensor,
  epsilon: number,
): Tensor {
  const unused = { shape: [-1], dtype: 'float32' as const };
  const specs = [{ shape: x.shape, dtype: x.dtype }, unused, unused, unused, unused, unused];
  const [y] = execute(
    'FusedBatchNormV3',
    batchNormAttributes(x, epsilon, false),
    [x, scale, offset, mean, variance],
    specs,
  );
  const factor = () => rsqrt(addScalar(variance, epsilon));
  return differentiable(y, [x, scale, offset], (dy) => [
    () => mul(dy, mul(scale, factor())),
    () => sum(mul(dy, mul(sub(x, mean), factor())), [0, 1, 2]),
    () => sum(dy, [0, 1, 2]),
  ]);
}

/** x·(1 + gain) + bias with one gain and bias [n,c] an image: what conditional batch norm does after normalising. */
export function modulate(x: Tensor, gain: Tensor, bias: Tensor): Tensor {
  const [n, , , c] = x.shape;
  const factor = untracked(() => reshape(addScalar(gain, 1), [n, 1, 1, c]));
  const y = untracked(() => add(mul(x, factor), reshape(bias, [n, 1, 1, c])));
  return differentiable(y, [x, gain, bias], (dy) => [
    () => mul(dy, factor),
    () => sum(mul(dy, x), [1, 2]),
    () => sum(dy, [1, 2]),
  ]);
}

/**
 * A kernel divided by its largest singular value, which one step of power iteration estimates
 * (Miyato et al. 2018). The kernel is read as the matrix [everything else, outputs].
 * @param u the right singular vector so far, [1, outputs]
 * @returns the normalised kernel, in the kernel's shape; the next u; the singular value (scalar), `epsilon` at least
 */
export function spectralNormalise(kernel: Tensor, u: Tensor, epsilon: number) {
  const outputs = kernel.shape[kernel.shape.length - 1];
  const rows = kernel.shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const { v, nextU, sigma, normalised } = untracked(() => {
    const matrix = reshape(kernel, [rows, outputs]);
    const v = unit(matMul(u, matrix, false, true), epsilon);
    const projection = matMul(v, matrix);
    const nextU = unit(projection, epsilon);
    const sigma = maximum(reshape(matMul(projection, nextU, false, true), []), scalar(epsilon));
    return { v, nextU, sigma, normalised: div(matrix, sigma) };
  });
  const y = differentiable(reshape(normalised, kernel.shape), [kernel], (dy) => [
    () => {
      // d(W/σ) = dW/σ − W/σ² · vᵀ dW u, the singular vectors held constant.
      const d = reshape(dy, [rows, outputs]);
      const along = sum(mul(d, normalised));
      const back = div(sub(d, mul(matMul(v, nextU, true, false), along)), sigma);
      return reshape(back, kernel.shape);
    },
  ]);
  return { kernel: y, u: nextU, sigma };
}

function unit(x: Tensor, epsilon: number): Tensor {
  return mul(x, rsqrt(maximum(sum(mul(x, x)), scalar(epsilon * epsilon))));
}

function batchNormAttributes(x: Tensor, epsilon: number, training: boolean): Attributes {
  return {
    T: type(x.dtype),
    U: type('float32'),
    epsilon: float(epsilon),
    data_format: string('NHWC'),
    is_training: bool(training),
  };
}
