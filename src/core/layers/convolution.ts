import { orthogonal, zeros } from '../backend/initialise.js';
import { biasAdd, conv2d, conv2dPooled, conv2dUpsampled } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import type { LayerOptions } from './linear.js';
import { parameter, type Scope } from './scope.js';
import { spectrallyNormalised } from './spectral-norm.js';

export interface ConvolutionOptions extends LayerOptions {
  /** Side of the square kernel. */
  size?: number;
  stride?: number;
  /** Enlarge ×2 before, or average 2×2 after, a 3×3 kernel; both are one convolution. */
  resample?: 'up' | 'down';
}

/** x [n,h,w,c] → [n,⌈h/stride⌉,⌈w/stride⌉,filters]; orthogonal kernel (HWIO), bias 0, padding SAME. */
export function convolution(
  scope: Scope,
  x: Tensor,
  filters: number,
  { size = 3, stride = 1, bias = true, spectralNorm = false, resample }: ConvolutionOptions = {},
): Tensor {
  const raw = parameter(scope, 'kernel', [size, size, x.shape[3], filters], orthogonal);
  const kernel = spectralNorm ? spectrallyNormalised(scope, raw) : raw;
  const y =
    resample === 'up'
      ? conv2dUpsampled(x, kernel)
      : resample === 'down'
        ? conv2dPooled(x, kernel)
        : conv2d(x, kernel, stride);
  return bias ? biasAdd(y, parameter(scope, 'bias', [filters], zeros)) : y;
}
