/** What a run will take, without starting the engine. */
import { toBfloat16 } from '../backend/graph/bfloat16.js';
import { costOf } from '../backend/graph/cost.js';
import { recordFunctions } from '../backend/graph/record.js';
import { size } from '../backend/tensor.js';
import { type Module, parameterCounts } from '../model/bigbigan.js';
import type { Config } from './config.js';
import { runVariables } from './initial.js';
import { stepFunction } from './step.js';

export interface Estimate {
  /** Trainable parameters of each network. */
  parameters: Record<Module, number>;
  /** Weights, moving averages, statistics and the optimizer's moments. */
  state_bytes: number;
  /** Most memory that a step's intermediate results take at one time. */
  activation_bytes: number;
  /** Of one step's convolutions and matrix products. */
  flops_per_step: number;
}

/** Records a step and counts; time and memory do not depend on the batch size. */
export function estimateRun(config: Config): Estimate {
  const specs = runVariables(config);
  const { nodes } = recordFunctions(specs, { step: stepFunction(config) });
  const { flops, activationBytes } = costOf(config.train.precision === 'bf16' ? toBfloat16(nodes) : nodes);
  return {
    parameters: parameterCounts(specs),
    state_bytes: specs.reduce((sum, { shape }) => sum + 4 * size(shape), 0),
    activation_bytes: activationBytes,
    flops_per_step: flops,
  };
}
