/**
 * One training step: updates of D, then one joint update of G and E, then the moving average.
 * It sees no values: what changes from step to step comes in as tensors, and state is in variables.
 */
import { hash } from '../backend/initialise.js';
import {
  add,
  avgPool2,
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
import { type ModelConfig, hasEncoder } from '../model/config.js';
import { type Scores, discriminate } from '../model/discriminator.js';
import { type Encoding, encode, sampleLatent } from '../model/encoder.js';
import { imageBatch, labelBatch } from '../model/functions.js';
import { generate } from '../model/generator.js';
import { randomLabels } from '../model/labels.js';
import { sampleOf } from '../model/latents.js';
import { fromPixels } from '../model/pixels.js';
import { type AdamInputs, applyAdam } from './adam.js';
import { updateAverage } from './average.js';
import type { Config } from './config.js';
import { OBJECTIVES } from './losses.js';

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
  return [...discriminator, ...modules.map((module): Update => ({ name: module, module, index: 0, perStep: 1 }))];
}

/**
 * Inputs: `images` uint8 [discriminatorSteps · batchSize,h,w,c], and their `labels` int32 where there are several;
 * `step` int32, from 0; for each of `updates` its
 * learning rate and the powers of β1 and β2; `average_remainder`, 1 − the moving average's decay.
 * Output: `report`, float32, one value for each of `reportedNames`.
 */
export function stepFunction(config: Config): GraphFunction {
  const scalars = updates(config).flatMap(({ name }) => [`${name}_rate`, `${name}_beta1_power`, `${name}_beta2_power`]);
  const number: OutputSpec = { shape: [], dtype: 'float32' };
  const images = config.train.discriminatorSteps * config.train.batchSize;
  return {
    inputs: {
      images: imageBatch(config.model, images),
      ...labelBatch(config.model, images),
      step: { shape: [], dtype: 'int32' },
      ...Object.fromEntries([...scalars, 'average_remainder'].map((name) => [name, number])),
    },
    run: (inputs, variables) => ({ report: trainStep(config, variables, inputs) }),
  };
}

/** What a step reports, in the order of the vector that `trainStep` returns. */
export function reportedNames(model: ModelConfig): string[] {
  const scoreNames = model.discriminator.scores.flatMap((term) => [`score_${term}_encoder`, `score_${term}_generator`]);
  return ['loss_d', 'loss_eg', ...scoreNames, ...(hasEncoder(model) ? ['encoder_mean_std', 'encoder_sigma'] : [])];
}

/** An image, its latent, and its label. */
interface Pair {
  x: Tensor;
  /** Absent for real images without E. */
  z?: Tensor;
  label?: Tensor;
}

interface Forward {
  /** (x, E(x)) and (G(z), z). */
  encoder: Pair;
  generator: Pair;
  passes: Pass[];
  encoding?: Encoding;
}

function trainStep(config: Config, variables: ResourceVariables, inputs: Record<string, Tensor>): Tensor {
  const { train, model } = config;
  const objective = OBJECTIVES[train.loss];
  const adam = (name: string): AdamInputs => ({
    learningRate: inputs[`${name}_rate`],
    beta1Power: inputs[`${name}_beta1_power`],
    beta2Power: inputs[`${name}_beta2_power`],
  });
  const pass = (trains: boolean) =>
    modelPass(model, variables, { weights: 'trained', statistics: 'batch', updatesSpectralNorm: true, trains });

  const forward = (index: number, trains: boolean): Forward => {
    const random = streams(config.seed, inputs.step, index);
    const real = realBatch(config, inputs, Math.min(index, train.discriminatorSteps - 1), random);
    const shape = [train.batchSize, model.latent];
    const z = sampleOf(model.prior, shape, random('latent'));
    const label = real.label && randomLabels(train.batchSize, model.classes, random('label'));
    const generated = pass(trains);
    const generator = { x: generate(generated, z, model, label), z, label };
    if (!hasEncoder(model)) return { encoder: real, generator, passes: [generated] };
    const encoded = pass(trains);
    const encoding = encode(encoded, real.x, model);
    const sample = sampleLatent(encoding, randomNormal(shape, random('encoder noise')));
    return { encoder: { ...real, z: sample }, generator, passes: [generated, encoded], encoding };
  };

  let last: Forward | undefined;
  let lossD: Tensor | undefined;
  let reported: { encoder: Scores; generator: Scores } | undefined;
  for (let i = 0; i < train.discriminatorSteps; i++) {
    last = forward(i, train.reuseForward && i === train.discriminatorSteps - 1);
    const passD = pass(true);
    reported = scores(passD, detached(last), config);
    lossD = objective.discriminator(reported.encoder, reported.generator);
    update(variables, lossD, [passD], config, { discriminator: adam(`discriminator${i}`) });
  }

  if (!train.reuseForward) last = forward(train.discriminatorSteps, true);
  const judged = scores(pass(false), last!, config);
  const lossEG = objective.encoderGenerator(judged.encoder, judged.generator);
  const trained = hasEncoder(model) ? { generator: adam('generator'), encoder: adam('encoder') } : { generator: adam('generator') };
  update(variables, lossEG, last!.passes, config, trained);

  const averaged = last!.passes.flatMap((p) => parametersOf(p).names).filter((name) => AVERAGED.includes(moduleOf(name)));
  updateAverage(variables, averaged, inputs.average_remainder);

  return stack([
    lossD!,
    lossEG,
    ...model.discriminator.scores.flatMap((term) => [mean(reported!.encoder[term]!), mean(reported!.generator[term]!)]),
    ...(last!.encoding ? encoderHealth(last!.encoding) : []),
  ]);
}

/** Scores of both kinds of pair from one pass of D over all of them. */
function scores(pass: Pass, { encoder, generator }: Forward, { model }: Config) {
  const n = encoder.x.shape[0];
  const both = (a: Tensor | undefined, b: Tensor | undefined) => (a && b ? concat([a, b], 0) : undefined);
  const images = [shrinkTo(model.resolution, encoder.x), generator.x];
  const judged = { images, latents: both(encoder.z, generator.z), labels: both(encoder.label, generator.label) };
  const halves = Object.entries(discriminate(pass, judged, model)).map(([term, score]) => [term, splitSizes(score, [n, n], 0)] as const);
  const side = (i: number): Scores => Object.fromEntries(halves.map(([term, half]) => [term, half[i]]));
  return { encoder: side(0), generator: side(1) };
}

/** Means of 2×2 pixels until the side is `resolution`: D sees G's size where E sees more (section 3.1, High Res E). */
function shrinkTo(resolution: number, x: Tensor): Tensor {
  return x.shape[1] > resolution ? shrinkTo(resolution, avgPool2(x)) : x;
}

/** The pairs as D trains on them: no gradient flows into G and E. */
function detached(forward: Forward): Forward {
  const cut = ({ x, z, label }: Pair): Pair => ({ x: stopGradient(x), z: z && stopGradient(z), label });
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

/** The batch of one D update, its images as floats, mirrored at random where the run asks for it. */
function realBatch(config: Config, { images, labels }: Record<string, Tensor>, index: number, random: (use: string) => Tensor): Pair {
  const { batchSize, discriminatorSteps, flip } = config.train;
  const own = (all: Tensor) => splitSizes(all, Array.from({ length: discriminatorSteps }, () => batchSize), 0)[index];
  const x = fromPixels(own(images));
  const label = labels && own(labels);
  if (!flip) return { x, label };
  const coin = less(randomUniform([batchSize], random('flip')), scalar(0.5));
  const mirrored = reshape(cast(coin, 'float32'), [batchSize, 1, 1, 1]);
  return { x: add(x, mul(sub(reverse(x, 2), x), mirrored)), label };
}

/** Seeds that depend on the run, the use, the step and the update within it. */
function streams(seed: number, step: Tensor, index: number) {
  return (use: string) => stack([scalar(hash(`${seed}/${use}/${index}`), 'int32'), step]);
}

/** Spread of μ over the batch, averaged over dimensions, and mean of σ: a dead encoder shows here first. */
function encoderHealth({ mean: mu, std }: Encoding): Tensor[] {
  const x = stopGradient(mu);
  const centred = sub(x, mean(x, [0], true));
  return [mean(sqrt(mean(mul(centred, centred), [0]))), std ? mean(std) : scalar(0)];
}
