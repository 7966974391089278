import { orthogonal, zeros } from '../backend/initialise.js';
import { biasAdd, matMul } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { type Scope, parameter } from './scope.js';
import { spectrallyNormalised } from './spectral-norm.js';

export interface LayerOptions {
  bias?: boolean;
  spectralNorm?: boolean;
}

/** x [n, in] → [n, units]; orthogonal kernel [in, units], bias 0. */
export function linear(scope: Scope, x: Tensor, units: number, { bias = true, spectralNorm = false }: LayerOptions = {}): Tensor {
  const raw = parameter(scope, 'kernel', [x.shape[1], units], orthogonal);
  const y = matMul(x, spectralNorm ? spectrallyNormalised(scope, raw) : raw);
  return bias ? biasAdd(y, parameter(scope, 'bias', [units], zeros)) : y;
}
