/** Where a layer finds its parameters, and what one pass over a network does with its state. */

import { watch } from '../backend/gradient.js';
import type { Initialiser } from '../backend/initialise.js';
import type { Tensor } from '../backend/tensor.js';
import type { Variables } from '../backend/variables.js';

/** One pass of one network over one batch. */
export interface Pass {
  variables: Variables;
  /** Read the trained weights, or their exponential moving average. */
  weights: 'trained' | 'average';
  /**
   * Batch norm by the batch's own statistics; by those while their mean over several passes is taken
   * (`share` is 1 / number of passes, a scalar); or by that mean, the standing statistics.
   */
  statistics: 'batch' | 'standing' | { share: Tensor };
  /** Whether power iteration moves on. */
  updatesSpectralNorm: boolean;
  /** Whether gradients with respect to the parameters will be asked for. */
  trains: boolean;
  /** Numerical floors: added to variances; below which a norm is not divided by. */
  epsilon: { batchNorm: number; spectralNorm: number };
  /** Parameters read in this pass, by name, so that each is read (and normalised) once. */
  parameters: Map<string, Tensor>;
  normalised: Map<string, Tensor>;
}

export interface Scope {
  readonly pass: Pass;
  readonly path: string;
}

export type PassOptions = Pick<Pass, 'variables' | 'epsilon'> & Partial<Pass>;

/** A pass for inference on averaged weights, unless said otherwise. */
export function createPass(options: PassOptions): Pass {
  return {
    weights: 'average',
    statistics: 'standing',
    updatesSpectralNorm: false,
    trains: false,
    parameters: new Map(),
    normalised: new Map(),
    ...options,
  };
}

export function within(scope: Scope, name: string): Scope {
  return { pass: scope.pass, path: `${scope.path}/${name}` };
}

/** Prefix under which the moving average of a weight, and the standing statistics that belong to it, are kept. */
export const AVERAGE = 'ema/';

/** A trainable float32 parameter, declared and read. */
export function parameter(scope: Scope, name: string, shape: readonly number[], initialiser: Initialiser): Tensor {
  const { pass } = scope;
  const path = `${scope.path}/${name}`;
  const known = pass.parameters.get(path);
  if (known) return known;
  pass.variables.declare({ name: path, shape, dtype: 'float32', initialiser, trainable: true });
  const value = pass.variables.read(pass.weights === 'average' ? AVERAGE + path : path);
  const tensor = pass.trains ? watch(value) : value;
  pass.parameters.set(path, tensor);
  return tensor;
}

/** State that no optimizer trains. */
export function declareState(scope: Scope, path: string, shape: readonly number[], initialiser: Initialiser): void {
  scope.pass.variables.declare({ name: path, shape, dtype: 'float32', initialiser, trainable: false });
}
