import { type Initialiser, orthogonal, zeros } from '../backend/initialise.js';
import { biasAdd, matMul } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { parameter, type Scope } from './scope.js';
import { spectrallyNormalised } from './spectral-norm.js';

export interface LayerOptions {
  bias?: boolean;
  spectralNorm?: boolean;
}

export interface LinearOptions extends LayerOptions {
  initialiser?: Initialiser;
}

/** x [n, in] → [n, units]; kernel [in, units], orthogonal at first unless stated, bias 0. */
export function linear(
  scope: Scope,
  x: Tensor,
  units: number,
  { bias = true, spectralNorm = false, initialiser = orthogonal }: LinearOptions = {},
): Tensor {
  const raw = parameter(scope, 'kernel', [x.shape[1], units], initialiser);
  const y = matMul(x, spectralNorm ? spectrallyNormalised(scope, raw) : raw);
  return bias ? biasAdd(y, parameter(scope, 'bias', [units], zeros)) : y;
}
