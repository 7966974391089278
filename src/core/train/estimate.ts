/** What a run will take, without starting the engine. */
import { toBfloat16 } from '../backend/graph/bfloat16.js';
import { type Cost, costOf } from '../backend/graph/cost.js';
import { recordFunctions } from '../backend/graph/record.js';
import type { GraphFunction } from '../backend/graph-function.js';
import { size } from '../backend/tensor.js';
import type { VariableSpec } from '../backend/variables.js';
import type { Config } from '../config/config.js';
import { type Module, parameterCounts } from '../model/bigbigan.js';
import { runVariables } from './initial.js';
import { accumulateName, accumulators, applyName, microbatchFunctions } from './step/microbatch.js';
import { phasesOf, stepFunction } from './step/step.js';

export interface Estimate {
  /** Trainable parameters of each network. */
  parameters: Record<Module, number>;
  /** Weights, moving averages, statistics and the optimizer's moments. */
  state_bytes: number;
  /** Sums of the microbatches' gradients; 0 where the batch is not split. */
  gradient_bytes: number;
  /** Peak memory of a step's intermediate results. */
  activation_bytes: number;
  /** Of one step's convolutions and matrix products. */
  flops_per_step: number;
}

/** Records a step and counts; time and memory do not depend on the batch size. */
export function estimateRun(config: Config): Estimate {
  const specs = runVariables(config);
  const sums = config.train.microbatch === null ? [] : accumulators(specs);
  const costs = callsOfStep(config).map(({ times, run }) => ({ times, ...cost(config, [...specs, ...sums], run) }));
  return {
    parameters: parameterCounts(specs),
    state_bytes: bytesOf(specs),
    gradient_bytes: bytesOf(sums),
    activation_bytes: Math.max(...costs.map(({ activationBytes }) => activationBytes)),
    flops_per_step: costs.reduce((sum, { times, flops }) => sum + times * flops, 0),
  };
}

/** The functions that make up a step, and how often it calls each. */
function callsOfStep(config: Config): { times: number; run: GraphFunction }[] {
  const { batchSize, microbatch } = config.train;
  if (microbatch === null) return [{ times: 1, run: stepFunction(config) }];
  const functions = microbatchFunctions(config);
  return phasesOf(config).flatMap((phase) => [
    { times: batchSize / microbatch, run: functions[accumulateName(phase)] },
    { times: 1, run: functions[applyName(phase)] },
  ]);
}

function cost(config: Config, specs: readonly VariableSpec[], run: GraphFunction): Cost {
  const { nodes } = recordFunctions(specs, { run });
  return costOf(config.train.precision === 'bf16' ? toBfloat16(nodes) : nodes);
}

const bytesOf = (specs: readonly VariableSpec[]) => specs.reduce((sum, { shape }) => sum + 4 * size(shape), 0);
