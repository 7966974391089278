/** The exponential moving average (EMA) of the weights of G and E, on which everything is evaluated. */
import { add, mul, sub } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import type { Variables } from '../backend/variables.js';
import { AVERAGE } from '../layers/scope.js';

/** average ← average + (1 − decay) · (weight − average). `remainder` is 1 − decay, a scalar tensor. */
export function updateAverage(variables: Variables, names: readonly string[], remainder: Tensor): void {
  for (const name of names) {
    const average = variables.read(AVERAGE + name);
    const step = mul(sub(variables.read(name), average), remainder);
    variables.assign(AVERAGE + name, add(average, step));
  }
}

/** min(decay, (1 + step) / (10 + step)): early averages are short, so that they leave the initial weights behind. */
export function averageDecay(largest: number, step: number): number {
  return Math.min(largest, (1 + step) / (10 + step));
}
