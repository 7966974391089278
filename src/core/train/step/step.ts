/**
 * One training step: gradients and updates of the networks by the run's method, then the moving average.
 * It sees no values: what changes from step to step comes in as tensors, and state is in variables.
 */

import type { OutputSpec } from '../../backend/executor.js';
import type { GraphFunction } from '../../backend/graph-function.js';
import { stack } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import type { Config, Method } from '../../config/config.js';
import type { Module } from '../../model/bigbigan.js';
import { hasDiscriminator, hasEncoder } from '../../model/config.js';
import { imageBatch, labelBatch } from '../../model/functions.js';
import { alternatingPhases, simultaneousPhase } from './adversarial.js';
import { autoencoderPhase } from './autoencoder.js';
import { averagedNames, updateAverage } from './average.js';
import { adamInputs, type Forward, type StepContext } from './forward.js';
import { latentRegressorPhase } from './latent-regressor.js';
import { applyGradients } from './optimise.js';
import type { Phase } from './phase.js';

/** One use of an optimizer within a step. */
export interface Update {
  /** Names its inputs: `NAME_rate`, `NAME_beta1_power`, `NAME_beta2_power`. */
  name: string;
  module: Module;
  /** Which of the module's `perStep` updates within a step. */
  index: number;
  perStep: number;
}

export function updates({ model, train: { discriminatorSteps } }: Config): Update[] {
  const discriminator = Array.from({ length: discriminatorSteps }, (_, index): Update => {
    return { name: `discriminator${index}`, module: 'discriminator', index, perStep: discriminatorSteps };
  });
  const modules = hasEncoder(model) ? (['generator', 'encoder'] as const) : (['generator'] as const);
  return [
    ...(hasDiscriminator(model) ? discriminator : []),
    ...modules.map((module): Update => ({ name: module, module, index: 0, perStep: 1 })),
  ];
}

/**
 * Inputs: `images` uint8 [discriminatorSteps · batchSize,h,w,c], and their `labels` int32 where there are several;
 * `step` int32, from 0; for each of `updates` its learning rate and the powers of β1 and β2; `average_remainder`, 1 −
 * the moving average's decay, unless that decay is 0: then the averages are the weights, and are taken when they are
 * needed. Output: `report`, float32, one value for each of `reportedNames`.
 */
export function stepFunction(config: Config, statistics?: StepContext['statistics']): GraphFunction {
  const images = config.train.discriminatorSteps * config.train.batchSize;
  return {
    inputs: {
      images: imageBatch(config.model, images),
      ...labelBatch(config.model, images),
      step: { shape: [], dtype: 'int32' },
      ...updateInputs(updates(config).map(({ name }) => name)),
      ...averageInput(config),
    },
    run: (inputs, variables) => ({ report: trainStep({ config, variables, inputs, statistics }) }),
  };
}

const number: OutputSpec = { shape: [], dtype: 'float32' };

/** What the updates of these names take in. */
export function updateInputs(names: readonly string[]): Record<string, OutputSpec> {
  const scalars = names.flatMap((name) => [`${name}_rate`, `${name}_beta1_power`, `${name}_beta2_power`]);
  return Object.fromEntries(scalars.map((name) => [name, number]));
}

export function averageInput({ train }: Config): Record<string, OutputSpec> {
  return train.averageDecay === 0 ? {} : { average_remainder: number };
}

/** What a step reports, in the order of the vector `report`. */
export function reportedNames({ model, train: { method } }: Config): string[] {
  const scores = model.discriminator.scores.flatMap((term) => [`score_${term}_encoder`, `score_${term}_generator`]);
  const health = hasEncoder(model) ? ['encoder_mean_std', 'encoder_sigma'] : [];
  return [...LOSS_NAMES[method], ...scores, ...health];
}

const LOSS_NAMES: Record<Method, string[]> = {
  adversarial: ['loss_d', 'loss_eg'],
  'latent-regressor': ['loss_d', 'loss_g', 'loss_e'],
  'joint-latent-regressor': ['loss_d', 'loss_g', 'loss_e'],
  'autoencoder-l1': ['loss_reconstruction'],
  'autoencoder-l2': ['loss_reconstruction'],
};

/** What a step consists of, by the run's method. */
export function phasesOf(config: Config): Phase[] {
  switch (config.train.method) {
    case 'adversarial':
      return config.train.updates === 'simultaneous' ? [simultaneousPhase(config)] : alternatingPhases(config);
    case 'latent-regressor':
    case 'joint-latent-regressor':
      return [latentRegressorPhase];
    case 'autoencoder-l1':
    case 'autoencoder-l2':
      return [autoencoderPhase];
  }
}

function trainStep(context: StepContext): Tensor {
  const { config, variables, inputs } = context;
  const reported: Record<string, Tensor> = {};
  let before: { index: number; forward?: Forward } | undefined;
  for (const phase of phasesOf(config)) {
    const { gradients, report, forward } = phase.run(
      context,
      before?.index === phase.index ? before.forward : undefined,
    );
    applyGradients(variables, gradients, config.train, phaseInputs(phase, inputs));
    before = { index: phase.index, forward };
    Object.assign(reported, report);
  }
  if (config.train.averageDecay > 0) updateAverage(variables, averagedNames(variables), inputs.average_remainder);
  return stack(reportedNames(config).map((name) => reported[name]));
}

/** Adam's inputs of a phase's updates. */
export function phaseInputs({ updates }: Phase, inputs: Record<string, Tensor>) {
  return Object.fromEntries(Object.entries(updates).map(([module, name]) => [module, adamInputs(inputs, name)]));
}
