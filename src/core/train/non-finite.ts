/** Numbers that are infinite or none: training ends at the step that makes them, and no checkpoint holds them. */
import type { GraphFunction } from '../backend/machine.js';
import { add, stack, sum } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import type { ResourceVariables, VariableValues } from '../backend/variables.js';
import { UserError } from '../errors.js';
import { MODULES } from '../model/bigbigan.js';

/**
 * The same function with an output more, `gradients`: a number for each module of `trainedModules`, finite as long as
 * all gradients were. Adam's first moments are summed for it: they keep for good what was not finite once.
 */
export function withGradientCheck({ inputs, run }: GraphFunction): GraphFunction {
  return { inputs, run: (given, variables) => ({ ...run(given, variables), gradients: momentSums(variables) }) };
}

const moments = (names: Iterable<string>, module: string) => [...names].filter((name) => name.startsWith(`adam/m/${module}/`));

/** Modules that an optimizer trains, by the names of a run's variables. */
export function trainedModules(names: Iterable<string>): string[] {
  const all = [...names];
  return MODULES.filter((module) => moments(all, module).length > 0);
}

function momentSums(variables: ResourceVariables): Tensor {
  const names = [...variables.specs.keys()];
  return stack(trainedModules(names).map((module) => moments(names, module).map((name) => sum(variables.read(name))).reduce(add)));
}

/** The first variable with a number that is not finite. */
export function nonFiniteVariable(values: VariableValues): string | undefined {
  for (const [name, { data }] of values) if (!allFinite(data)) return name;
  return undefined;
}

function allFinite(data: Float32Array): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}

/** The error for `term` at `step`; `variable` is one that it has reached. */
export function notFinite(step: number, term: string, variable: string | undefined, checkpoint: string | undefined): UserError {
  const reached = variable === undefined ? '' : `; ${variable} has numbers that are not finite`;
  const good = checkpoint === undefined ? 'there is no checkpoint yet' : `the last good checkpoint is ${checkpoint}`;
  return new UserError(`step ${step}: ${term}${reached}`, {
    hint: `${good}; the same command would come to the same end: start another run, lower learning rates help`,
  });
}
