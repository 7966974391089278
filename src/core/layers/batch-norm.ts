/** Batch norm with learned, conditional, or no scale and offset; inference uses standing statistics. */
import { ones, zeros } from '../backend/initialise.js';
import { add, batchNormWith, batchNorm as byBatch, fill, modulate, mul, reshape } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { linear } from './linear.js';
import { AVERAGE, declareState, parameter, type Scope, within } from './scope.js';

/** x [n,h,w,c] or [n,c] with learned scale and offset [c]. */
export function batchNorm(scope: Scope, x: Tensor): Tensor {
  const c = x.shape[x.shape.length - 1];
  return normalise(scope, x, parameter(scope, 'scale', [c], ones), parameter(scope, 'offset', [c], zeros));
}

/** Without learned scale and offset. */
export function plainBatchNorm(scope: Scope, x: Tensor): Tensor {
  const c = x.shape[x.shape.length - 1];
  return normalise(scope, x, fill(1, [c]), fill(0, [c]));
}

/**
 * Scale and offset of each image are linear in its condition [n,k], without bias and spectrally
 * normalised; the scale is centred at 1 (BigGAN: 1 + gain).
 */
export function conditionalBatchNorm(scope: Scope, x: Tensor, condition: Tensor): Tensor {
  const c = x.shape[3];
  const options = { bias: false, spectralNorm: true };
  const gain = linear(within(scope, 'gain'), condition, c, options);
  const bias = linear(within(scope, 'offset'), condition, c, options);
  return modulate(plainBatchNorm(scope, x), gain, bias);
}

function normalise(scope: Scope, x: Tensor, scale: Tensor, offset: Tensor): Tensor {
  const { pass, path } = scope;
  const c = x.shape[x.shape.length - 1];
  const view = pass.weights === 'average' ? AVERAGE + path : path;
  const [meanName, varianceName] = [`${view}/standing_mean`, `${view}/standing_variance`];
  for (const prefix of ['', AVERAGE]) {
    declareState(scope, `${prefix}${path}/standing_mean`, [c], zeros);
    declareState(scope, `${prefix}${path}/standing_variance`, [c], ones);
  }
  const epsilon = pass.epsilon.batchNorm;
  const image = x.shape.length === 4 ? x : reshape(x, [x.shape[0], 1, 1, c]);
  if (pass.statistics === 'standing') {
    const [mean, variance] = [meanName, varianceName].map((name) => pass.variables.read(name));
    return reshape(batchNormWith(image, scale, offset, mean, variance, epsilon), x.shape);
  }
  const { y, mean, variance } = byBatch(image, scale, offset, epsilon);
  if (pass.statistics !== 'batch') {
    const { share } = pass.statistics;
    const accumulate = (name: string, value: Tensor) =>
      pass.variables.assign(name, add(pass.variables.read(name), mul(value, share)));
    accumulate(meanName, mean);
    accumulate(varianceName, variance);
  }
  return reshape(y, x.shape);
}
