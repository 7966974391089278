/**
 * A step in little memory: the gradients of a phase are computed for a microbatch at a time and added up in float32,
 * then its updates happen. Gradients of the mean over the batch are the means of the microbatches' gradients, so that
 * this is the same step except for rounding and for batch norm, whose statistics are those of a microbatch ("ghost
 * batch norm"). Nothing is kept from one phase for the next: where updates share a forward pass (`reuseForward`), it is
 * computed again.
 */

import type { OutputSpec, Values } from '../../backend/executor.js';
import { execute, type } from '../../backend/executor.js';
import type { GraphFunction } from '../../backend/graph-function.js';
import { zeros } from '../../backend/initialise.js';
import { scalar, scale, zerosLike } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import { size } from '../../backend/tensor.js';
import type { ResourceVariables, VariableSpec } from '../../backend/variables.js';
import type { Config } from '../../config/config.js';
import { advancePowerIteration } from '../../layers/spectral-norm.js';
import { MODULES, type Module, moduleOf } from '../../model/bigbigan.js';
import { imageBatch, labelBatch } from '../../model/functions.js';
import { averagedNames, updateAverage } from './average.js';
import { batchOf, type StepContext } from './forward.js';
import { withGradientCheck } from './non-finite.js';
import { applyGradients } from './optimise.js';
import type { Phase } from './phase.js';
import { averageInput, phaseInputs, phasesOf, reportedNames, updateInputs } from './step.js';

export const accumulator = (name: string) => `gradient/${name}`;
export const accumulateName = ({ name }: Phase) => `accumulate_${name}`;
export const applyName = ({ name }: Phase) => `apply_${name}`;

/** A sum for each parameter's gradient; 0 between phases. */
export function accumulators(specs: readonly VariableSpec[]): VariableSpec[] {
  const parameters = specs.filter(({ trainable }) => trainable);
  return parameters.map((spec) => ({ ...spec, name: accumulator(spec.name), initialiser: zeros, trainable: false }));
}

/** For each phase of a step one function for a microbatch, and one for what follows when all of them are done. */
export function microbatchFunctions(
  config: Config,
  statistics?: StepContext['statistics'],
): Record<string, GraphFunction> {
  const phases = phasesOf(config);
  const functions = phases.flatMap((phase) => {
    const apply = applyFunction(config, phase, phases);
    return [
      [accumulateName(phase), accumulateFunction(config, phase, statistics)] as const,
      [applyName(phase), phase === phases.at(-1) ? withGradientCheck(apply) : apply] as const,
    ];
  });
  return Object.fromEntries(functions);
}

/**
 * Inputs: a microbatch of `images` and `labels`; `first`, the place of its first image in the batch; `step`, all int32.
 * Adds its share of the gradients to their sums. Outputs: what the phase reports, by name.
 */
function accumulateFunction(config: Config, phase: Phase, statistics: StepContext['statistics']): GraphFunction {
  const { batchSize } = config.train;
  const n = config.train.microbatch!;
  const whole: OutputSpec = { shape: [], dtype: 'int32' };
  return {
    inputs: { images: imageBatch(config.model, n), ...labelBatch(config.model, n), step: whole, first: whole },
    run(inputs, variables) {
      const microbatch = { size: n, first: inputs.first };
      const { gradients, report } = phase.run({ config, variables, inputs, microbatch, statistics });
      gradients.names.forEach((name, i) =>
        addTo(variables, accumulator(name), scale(gradients.values[i], n / batchSize)),
      );
      return report;
    },
  };
}

/**
 * Inputs: what the phase's updates take, and the moving average after the last phase. The gradients' sums are 0 again
 * afterwards.
 */
function applyFunction(config: Config, phase: Phase, phases: readonly Phase[]): GraphFunction {
  const { model, train } = config;
  const last = phase === phases.at(-1);
  return {
    inputs: { ...updateInputs(Object.values(phase.updates)), ...(last && averageInput(config)) },
    run(inputs, variables) {
      for (const module of passedFor(phase, phases))
        advancePowerIteration(variables, `${module}/`, model.epsilon.spectralNorm);
      const names = [...variables.specs.values()]
        .filter(({ name, trainable }) => trainable && moduleOf(name) in phase.updates)
        .map(({ name }) => name);
      const sums = names.map((name) => variables.read(accumulator(name)));
      const gradients = { names, weights: names.map(variables.read), values: sums };
      applyGradients(variables, gradients, train, phaseInputs(phase, inputs));
      names.forEach((name, i) => variables.assign(accumulator(name), zerosLike(sums[i])));
      if (last && train.averageDecay > 0) updateAverage(variables, averagedNames(variables), inputs.average_remainder);
      return { done: scalar(0) };
    },
  };
}

/** The networks whose pass is over: that of G and E where the next phase does not share it. */
function passedFor(phase: Phase, phases: readonly Phase[]): Module[] {
  const shared = phases[phases.indexOf(phase) + 1]?.index === phase.index;
  return MODULES.filter((module) => module === 'discriminator' || !shared);
}

function addTo(variables: ResourceVariables, name: string, value: Tensor): void {
  execute('AssignAddVariableOp', { dtype: type('float32') }, [variables.handle(name), value], []);
}

/** The inputs of a whole step. */
export type StepInputs = Record<string, Values> & { images: Values; labels?: Values };

/**
 * Runs a step by calling these functions.
 * @returns what the step reports, means over the microbatches; and the check of its gradients, as of
 * `withGradientCheck`
 */
export function runMicrobatches(
  call: (name: string, inputs: Record<string, Values>) => Record<string, Values>,
  config: Config,
  { images, labels, ...inputs }: StepInputs,
): { report: Record<string, number>; gradients: Values } {
  const { train, model } = config;
  const { batchSize } = train;
  const n = train.microbatch!;
  const imageSize = size(imageBatch(model, 1).shape);
  const means = new Map<string, number>();
  let applied: Record<string, Values> = {};
  for (const phase of phasesOf(config)) {
    const sums = new Map<string, number>();
    for (let first = 0; first < batchSize; first += n) {
      const at = batchOf(phase.index, train) * batchSize + first;
      const part = {
        images: images.subarray(at * imageSize, (at + n) * imageSize),
        ...(labels && { labels: labels.subarray(at, at + n) }),
      };
      const values = call(accumulateName(phase), { ...inputs, ...part, first: Int32Array.of(first) });
      for (const [name, [value]] of Object.entries(values)) sums.set(name, (sums.get(name) ?? 0) + value);
    }
    for (const [name, sum] of sums) means.set(name, sum / (batchSize / n));
    applied = call(applyName(phase), inputs);
  }
  const report = Object.fromEntries(reportedNames(config).map((name) => [name, means.get(name)!]));
  return { report, gradients: applied.gradients };
}
