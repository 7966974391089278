/** A function over variables, which can be run op by op or recorded as a part of a graph. */
import type { OutputSpec } from './executor.js';
import type { Tensor } from './tensor.js';
import type { ResourceVariables } from './variables.js';

export interface GraphFunction {
  inputs: Record<string, OutputSpec>;
  /** Sees no values and keeps nothing between calls but variables. Gives one output at least. */
  run(inputs: Record<string, Tensor>, variables: ResourceVariables): Record<string, Tensor>;
}
