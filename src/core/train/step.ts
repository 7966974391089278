/**
 * One training step: gradients and updates of the networks by the run's method, then the moving average.
 * It sees no values: what changes from step to step comes in as tensors, and state is in variables.
 */
import { stack } from '../backend/ops.js';
import type { OutputSpec } from '../backend/executor.js';
import type { GraphFunction } from '../backend/machine.js';
import type { Tensor } from '../backend/tensor.js';
import type { Pass } from '../layers/scope.js';
import { AVERAGED, type Module, moduleOf, parametersOf } from '../model/bigbigan.js';
import { hasDiscriminator, hasEncoder } from '../model/config.js';
import { imageBatch, labelBatch } from '../model/functions.js';
import { alternatingStep, simultaneousStep } from './adversarial.js';
import { autoencoderStep } from './autoencoder.js';
import { updateAverage } from './average.js';
import type { Config, Method } from './config.js';
import type { StepContext } from './forward.js';
import { latentRegressorStep } from './latent-regressor.js';

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
 * Inputs: `images` uint8 [discriminatorSteps · batchSize,h,w,c], and their `labels` int32 where there are several; `step`
 * int32, from 0; for each of `updates` its learning rate and the powers of β1 and β2; `average_remainder`, 1 − the moving
 * average's decay, unless that decay is 0: then the averages are the weights, and are taken when they are needed.
 * Output: `report`, float32, one value for each of `reportedNames`.
 */
export function stepFunction(config: Config): GraphFunction {
  const scalars = updates(config).flatMap(({ name }) => [`${name}_rate`, `${name}_beta1_power`, `${name}_beta2_power`]);
  const remainder = config.train.averageDecay === 0 ? [] : ['average_remainder'];
  const number: OutputSpec = { shape: [], dtype: 'float32' };
  const images = config.train.discriminatorSteps * config.train.batchSize;
  return {
    inputs: {
      images: imageBatch(config.model, images),
      ...labelBatch(config.model, images),
      step: { shape: [], dtype: 'int32' },
      ...Object.fromEntries([...scalars, ...remainder].map((name) => [name, number])),
    },
    run: (inputs, variables) => ({ report: trainStep({ config, variables, inputs }) }),
  };
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

/** What a method's step leaves. */
export interface StepResult {
  /** Passes of G and E, whose weights are averaged. */
  passes: Pass[];
  /** A scalar for each of `reportedNames`. */
  report: Tensor[];
}

const STEPS: Record<Method, (context: StepContext) => StepResult> = {
  adversarial: (context) => (context.config.train.updates === 'simultaneous' ? simultaneousStep : alternatingStep)(context),
  'latent-regressor': latentRegressorStep,
  'joint-latent-regressor': latentRegressorStep,
  'autoencoder-l1': autoencoderStep,
  'autoencoder-l2': autoencoderStep,
};

function trainStep(context: StepContext): Tensor {
  const { config, variables, inputs } = context;
  const { passes, report } = STEPS[config.train.method](context);
  if (config.train.averageDecay === 0) return stack(report);
  const averaged = passes.flatMap((p) => parametersOf(p).names).filter((name) => AVERAGED.includes(moduleOf(name)));
  updateAverage(variables, averaged, inputs.average_remainder);
  return stack(report);
}
