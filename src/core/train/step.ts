/**
 * One training step: updates of D, then one joint update of G and E, then the moving average.
 * It sees no values: what changes from step to step comes in as tensors, and state is in variables.
 */
import { hash } from '../backend/initialise.js';
import {
  add,
  cast,
  concat,
  gradients,
  less,
  mean,
  mul,
  randomNormal,
  randomUniform,
  reshape,
  reverse,
  scalar,
  splitSizes,
  sqrt,
  stack,
  stopGradient,
  sub,
} from '../backend/ops.js';
import type { OutputSpec } from '../backend/executor.js';
import type { GraphFunction } from '../backend/machine.js';
import type { Tensor } from '../backend/tensor.js';
import type { ResourceVariables } from '../backend/variables.js';
import type { Pass } from '../layers/scope.js';
import { AVERAGED, type Module, modelPass, moduleOf, parametersOf } from '../model/bigbigan.js';
import type { Term } from '../model/config.js';
import { type Scores, discriminate } from '../model/discriminator.js';
import { encode, sampleLatent } from '../model/encoder.js';
import { imageBatch } from '../model/functions.js';
import { generate } from '../model/generator.js';
import { fromPixels } from '../model/pixels.js';
import { type AdamInputs, applyAdam } from './adam.js';
import { updateAverage } from './average.js';
import type { Config, TrainConfig } from './config.js';
import { discriminatorLoss, encoderGeneratorLoss } from './losses.js';

/** One use of an optimizer within a step. */
export interface Update {
  /** Names its inputs: `NAME_rate`, `NAME_beta1_power`, `NAME_beta2_power`. */
  name: string;
  module: Module;
  /** Which of the module's `perStep` updates within a step. */
  index: number;
  perStep: number;
}

export function updates({ discriminatorSteps }: TrainConfig): Update[] {
  const discriminator = Array.from({ length: discriminatorSteps }, (_, index): Update => {
    return { name: `discriminator${index}`, module: 'discriminator', index, perStep: discriminatorSteps };
  });
  const joint = (['generator', 'encoder'] as const).map((module): Update => ({ name: module, module, index: 0, perStep: 1 }));
  return [...discriminator, ...joint];
}

/**
 * Inputs: `images` uint8 [discriminatorSteps · batchSize,h,w,c]; `step` int32, from 0; for each of `updates` its
 * learning rate and the powers of β1 and β2; `average_remainder`, 1 − the moving average's decay.
 * Output: `report`, float32, one value for each of `reportedNames`.
 */
export function stepFunction(config: Config): GraphFunction {
  const scalars = updates(config.train).flatMap(({ name }) => [`${name}_rate`, `${name}_beta1_power`, `${name}_beta2_power`]);
  const number: OutputSpec = { shape: [], dtype: 'float32' };
  return {
    inputs: {
      images: imageBatch(config.model, config.train.discriminatorSteps * config.train.batchSize),
      step: { shape: [], dtype: 'int32' },
      ...Object.fromEntries([...scalars, 'average_remainder'].map((name) => [name, number])),
    },
    run: (inputs, variables) => ({ report: trainStep(config, variables, inputs) }),
  };
}

/** What a step reports, in the order of the vector that `trainStep` returns. */
export function reportedNames(terms: readonly Term[]): string[] {
  const scoreNames = terms.flatMap((term) => [`score_${term}_encoder`, `score_${term}_generator`]);
  return ['loss_d', 'loss_eg', ...scoreNames, 'encoder_mean_std', 'encoder_sigma'];
}

interface Pair {
  x: Tensor;
  z: Tensor;
}

interface Forward {
  /** (x, E(x)) and (G(z), z). */
  encoder: Pair;
  generator: Pair;
  passes: Pass[];
  /** Spread of μ over the batch, and mean of σ: a dead encoder shows here first. */
  meanStd: Tensor;
  sigma: Tensor;
}

function trainStep(config: Config, variables: ResourceVariables, inputs: Record<string, Tensor>): Tensor {
  const { train, model } = config;
  const adam = (name: string): AdamInputs => ({
    learningRate: inputs[`${name}_rate`],
    beta1Power: inputs[`${name}_beta1_power`],
    beta2Power: inputs[`${name}_beta2_power`],
  });
  const pass = (trains: boolean) =>
    modelPass(model, variables, { weights: 'trained', statistics: 'batch', updatesSpectralNorm: true, trains });

  const forward = (index: number, trains: boolean): Forward => {
    const random = streams(config.seed, inputs.step, index);
    const x = realBatch(config, inputs.images, Math.min(index, train.discriminatorSteps - 1), random);
    const passes = [pass(trains), pass(trains)];
    const shape = [train.batchSize, model.latent];
    const z = randomNormal(shape, random('latent'));
    const encoding = encode(passes[1], x, model);
    return {
      encoder: { x, z: sampleLatent(encoding, randomNormal(shape, random('encoder noise'))) },
      generator: { x: generate(passes[0], z, model), z },
      passes,
      meanStd: spread(stopGradient(encoding.mean)),
      sigma: encoding.std ? mean(encoding.std) : scalar(0),
    };
  };

  let last: Forward | undefined;
  let lossD: Tensor | undefined;
  let reported: { encoder: Scores; generator: Scores } | undefined;
  for (let i = 0; i < train.discriminatorSteps; i++) {
    last = forward(i, train.reuseForward && i === train.discriminatorSteps - 1);
    const passD = pass(true);
    reported = scores(passD, detached(last), config);
    lossD = discriminatorLoss(reported.encoder, reported.generator);
    update(variables, lossD, [passD], config, { discriminator: adam(`discriminator${i}`) });
  }

  if (!train.reuseForward) last = forward(train.discriminatorSteps, true);
  const judged = scores(pass(false), last!, config);
  const lossEG = encoderGeneratorLoss(judged.encoder, judged.generator);
  update(variables, lossEG, last!.passes, config, { generator: adam('generator'), encoder: adam('encoder') });

  const averaged = last!.passes.flatMap((p) => parametersOf(p).names).filter((name) => AVERAGED.includes(moduleOf(name)));
  updateAverage(variables, averaged, inputs.average_remainder);

  return stack([
    lossD!,
    lossEG,
    ...model.discriminator.scores.flatMap((term) => [mean(reported!.encoder[term]!), mean(reported!.generator[term]!)]),
    last!.meanStd,
    last!.sigma,
  ]);
}

/** Scores of both kinds of pair from one pass of D over all of them. */
function scores(pass: Pass, { encoder, generator }: Forward, config: Config) {
  const n = encoder.x.shape[0];
  const all = discriminate(pass, [encoder.x, generator.x], concat([encoder.z, generator.z], 0), config.model);
  const halves = Object.entries(all).map(([term, score]) => [term, splitSizes(score, [n, n], 0)] as const);
  const side = (i: number): Scores => Object.fromEntries(halves.map(([term, half]) => [term, half[i]]));
  return { encoder: side(0), generator: side(1) };
}

/** The pairs as D trains on them: no gradient flows into G and E. */
function detached(forward: Forward): Forward {
  const cut = ({ x, z }: Pair): Pair => ({ x: stopGradient(x), z: stopGradient(z) });
  return { ...forward, encoder: cut(forward.encoder), generator: cut(forward.generator) };
}

function update(
  variables: ResourceVariables,
  loss: Tensor,
  passes: Pass[],
  config: Config,
  inputs: Partial<Record<Module, AdamInputs>>,
): void {
  const parameters = passes.map(parametersOf);
  const names = parameters.flatMap((p) => p.names);
  const grads = gradients(loss, parameters.flatMap((p) => p.tensors), names);
  for (const [module, adam] of Object.entries(inputs)) {
    const own = names.map((_, i) => i).filter((i) => moduleOf(names[i]) === module);
    applyAdam(variables, own.map((i) => names[i]), own.map((i) => grads[i]), config.train.adam, adam);
  }
}

/** The batch of one D update as floats, mirrored at random where the run asks for it. */
function realBatch(config: Config, images: Tensor, index: number, random: (use: string) => Tensor): Tensor {
  const { batchSize, discriminatorSteps, flip } = config.train;
  const batches = splitSizes(images, Array.from({ length: discriminatorSteps }, () => batchSize), 0);
  const x = fromPixels(batches[index]);
  if (!flip) return x;
  const coin = less(randomUniform([batchSize], random('flip')), scalar(0.5));
  const mirrored = reshape(cast(coin, 'float32'), [batchSize, 1, 1, 1]);
  return add(x, mul(sub(reverse(x, 2), x), mirrored));
}

/** Seeds that depend on the run, the use, the step and the update within it. */
function streams(seed: number, step: Tensor, index: number) {
  return (use: string) => stack([scalar(hash(`${seed}/${use}/${index}`), 'int32'), step]);
}

/** Standard deviation over the batch, averaged over dimensions. */
function spread(x: Tensor): Tensor {
  const centred = sub(x, mean(x, [0], true));
  return mean(sqrt(mean(mul(centred, centred), [0])));
}
