/** The exponential moving average (EMA) of the weights of G and E, on which everything is evaluated. */
import type { GraphFunction } from '../../backend/graph-function.js';
import { add, mul, scalar, sub } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import type { ResourceVariables, Variables } from '../../backend/variables.js';
import { AVERAGE } from '../../layers/scope.js';

/** Weights that are averaged. */
export function averagedNames({ specs }: ResourceVariables): string[] {
  return [...specs.values()]
    .filter(({ name, trainable }) => trainable && specs.has(AVERAGE + name))
    .map(({ name }) => name);
}

/** average ← average + (1 − decay) · (weight − average). `remainder` is 1 − decay, a scalar tensor. */
export function updateAverage(variables: Variables, names: readonly string[], remainder: Tensor): void {
  for (const name of names) {
    const average = variables.read(AVERAGE + name);
    const step = mul(sub(variables.read(name), average), remainder);
    variables.assign(AVERAGE + name, add(average, step));
  }
}

/**
 * Sets every average to its weight: all that there is to do for a decay of 0, and only when the averages are needed.
 */
function averagesFromWeights(variables: ResourceVariables): void {
  for (const name of averagedNames(variables)) variables.assign(AVERAGE + name, variables.read(name));
}

/** min(decay, (1 + step) / (10 + step)): early averages are short, so that they leave the initial weights behind. */
export function averageDecay(largest: number, step: number): number {
  return Math.min(largest, (1 + step) / (10 + step));
}

/** The same as a function of a machine. */
export const averagesFunction: GraphFunction = {
  inputs: {},
  run(_, variables) {
    averagesFromWeights(variables);
    return { done: scalar(0) };
  },
};
