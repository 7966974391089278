/** Numbers that are infinite or none: training ends at the step that makes them, and no checkpoint holds them. */
import type { GraphFunction } from '../../backend/graph-function.js';
import { add, stack, sum } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import type { ResourceVariables, VariableValues } from '../../backend/variables.js';
import { UserError } from '../../errors.js';
import { MODULES } from '../../model/bigbigan.js';

/**
 * The same function with an output more, `gradients`: a number for each module of `trainedModules`, finite as long as
 * all gradients were. Adam's first moments are summed for it: they stay non-finite once a gradient was.
 */
export function withGradientCheck({ inputs, run }: GraphFunction): GraphFunction {
  return { inputs, run: (given, variables) => ({ ...run(given, variables), gradients: momentSums(variables) }) };
}

const moments = (names: Iterable<string>, module: string) =>
  [...names].filter((name) => name.startsWith(`adam/m/${module}/`));

/** Modules that an optimizer trains, by the names of a run's variables. */
export function trainedModules(names: Iterable<string>): string[] {
  const all = [...names];
  return MODULES.filter((module) => moments(all, module).length > 0);
}

function momentSums(variables: ResourceVariables): Tensor {
  const names = [...variables.specs.keys()];
  return stack(
    trainedModules(names).map((module) =>
      moments(names, module)
        .map((name) => sum(variables.read(name)))
        .reduce(add),
    ),
  );
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

const ADVICE = 'start another run, lower learning rates help';

/** Training has come to numbers that are not finite. */
export class NotFinite extends UserError {
  /**
   * @param step steps completed when it was found
   * @param term what was found
   * @param variable one that it has reached
   * @param checkpoint the last one that is sound
   */
  constructor(
    readonly step: number,
    readonly term: string,
    variable: string | undefined,
    checkpoint: string | undefined,
  ) {
    const reached = variable === undefined ? '' : `; ${variable} has numbers that are not finite`;
    const good = checkpoint === undefined ? 'there is no checkpoint yet' : `the last good checkpoint is ${checkpoint}`;
    super(`step ${step}: ${term}${reached}`, {
      hint: `${good}; the same command would come to the same end: ${ADVICE}; --on-nan rollback tries other random numbers`,
    });
  }

  /** The same when going back has not helped. */
  afterTries(tries: number, from: number): UserError {
    return new UserError(this.message, {
      hint: `${tries} tries from step ${from} on, each with other random numbers, came to such an end: ${ADVICE}`,
    });
  }
}
