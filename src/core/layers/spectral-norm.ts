/** Spectral normalisation (Miyato et al. 2018) with one step of power iteration a pass. */
import { normal } from '../backend/initialise.js';
import { spectralNormalise } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import type { ResourceVariables } from '../backend/variables.js';
import { declareState, type Scope } from './scope.js';

/** The kernel divided by its estimated largest singular value; the singular vector is state named `u`. */
export function spectrallyNormalised(scope: Scope, kernel: Tensor): Tensor {
  const { pass, path } = scope;
  const known = pass.normalised.get(path);
  if (known) return known;
  const name = `${path}/u`;
  declareState(scope, name, [1, kernel.shape[kernel.shape.length - 1]], normal(1));
  const result = spectralNormalise(kernel, pass.variables.read(name), pass.epsilon.spectralNorm);
  if (pass.updatesSpectralNorm) pass.variables.assign(name, result.u);
  pass.normalised.set(path, result.kernel);
  return result.kernel;
}

/** Moves on the power iteration of all kernels under `prefix`, as a pass over them would. */
export function advancePowerIteration(variables: ResourceVariables, prefix: string, epsilon: number): void {
  for (const name of variables.specs.keys()) {
    if (!name.startsWith(prefix) || !name.endsWith('/u')) continue;
    const kernel = variables.read(name.replace(/u$/, 'kernel'));
    variables.assign(name, spectralNormalise(kernel, variables.read(name), epsilon).u);
  }
}
