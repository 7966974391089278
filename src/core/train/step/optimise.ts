/**
 * From a loss to changed weights, in two parts, so that several losses can be differentiated before any weight moves.
 */
import { add, gradients, scale } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import type { ResourceVariables } from '../../backend/variables.js';
import type { TrainConfig } from '../../config/config.js';
import type { Pass } from '../../layers/scope.js';
import { type Module, moduleOf, parametersOf } from '../../model/bigbigan.js';
import { type AdamInputs, applyAdam } from './adam.js';

/** Gradients of one loss, each beside the value of its parameter at which it was taken. */
export interface Gradients {
  names: string[];
  weights: Tensor[];
  values: Tensor[];
}

/** Of a scalar, with respect to all parameters that the passes have read. */
export function gradientsOf(loss: Tensor, passes: readonly Pass[]): Gradients {
  const parameters = passes.map(parametersOf);
  const names = parameters.flatMap((p) => p.names);
  const weights = parameters.flatMap((p) => p.tensors);
  return { names, weights, values: gradients(loss, weights, names) };
}

/** Of losses that are differentiated at the same weights, each with respect to parameters of its own. */
export function together(...parts: Gradients[]): Gradients {
  return {
    names: parts.flatMap(({ names }) => names),
    weights: parts.flatMap(({ weights }) => weights),
    values: parts.flatMap(({ values }) => values),
  };
}

/** One update of each module named in `inputs`; L2 weight decay is part of the gradient (coupled), as in BiGAN. */
export function applyGradients(
  variables: ResourceVariables,
  { names, weights, values }: Gradients,
  { adam, weightDecay }: TrainConfig,
  inputs: Partial<Record<Module, AdamInputs>>,
): void {
  const decayed = (i: number) => (weightDecay === 0 ? values[i] : add(values[i], scale(weights[i], weightDecay)));
  for (const [module, scalars] of Object.entries(inputs)) {
    const own = names.map((_, i) => i).filter((i) => moduleOf(names[i]) === module);
    applyAdam(
      variables,
      own.map((i) => names[i]),
      own.map(decayed),
      adam,
      scalars,
    );
  }
}
