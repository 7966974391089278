/** What a step computes before any loss: a batch of real images, generated ones, their latents, and scores of both. */
import { hash } from '../backend/initialise.js';
import {
  add,
  avgPool2,
  cast,
  concat,
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
import type { Tensor } from '../backend/tensor.js';
import type { ResourceVariables } from '../backend/variables.js';
import type { Pass } from '../layers/scope.js';
import { modelPass } from '../model/bigbigan.js';
import { type ModelConfig, hasEncoder } from '../model/config.js';
import { type Scores, discriminate } from '../model/discriminator.js';
import { type Encoding, encode, sampleLatent } from '../model/encoder.js';
import { generate } from '../model/generator.js';
import { randomLabels } from '../model/labels.js';
import { sampleOf } from '../model/latents.js';
import { fromPixels } from '../model/pixels.js';
import type { AdamInputs } from './adam.js';
import type { Config } from './config.js';

/** What a training step is made from. */
export interface StepContext {
  config: Config;
  variables: ResourceVariables;
  inputs: Record<string, Tensor>;
}

/** An image, its latent, and its label. */
export interface Pair {
  x: Tensor;
  /** Absent for real images without E. */
  z?: Tensor;
  label?: Tensor;
}

export interface Forward {
  /** (x, E(x)) and (G(z), z). */
  encoder: Pair;
  generator: Pair;
  /** Of G, and of E where there is one. */
  passes: Pass[];
  encoding?: Encoding;
}

/** A pass by the batch's statistics; `trains` if gradients of its parameters will be asked for. */
export function trainingPass({ config, variables }: StepContext, trains: boolean): Pass {
  return modelPass(config.model, variables, { weights: 'trained', statistics: 'batch', updatesSpectralNorm: true, trains });
}

/** Adam's inputs of the update `name`. */
export function adamInputs({ inputs }: StepContext, name: string): AdamInputs {
  return {
    learningRate: inputs[`${name}_rate`],
    beta1Power: inputs[`${name}_beta1_power`],
    beta2Power: inputs[`${name}_beta2_power`],
  };
}

/** Both kinds of pair, with noise of their own for each `index` within a step. */
export function forwardPairs(context: StepContext, index: number, trains: boolean): Forward {
  const { model } = context.config;
  const random = streams(context, index);
  const real = realBatch(context, index, random);
  const { pair: generator, pass: generated } = generatedBatch(context, trains, random);
  if (!hasEncoder(model)) return { encoder: real, generator, passes: [generated] };
  const encoded = trainingPass(context, trains);
  const encoding = encode(encoded, real.x, model);
  const sample = sampleLatent(encoding, randomNormal(generator.z.shape, random('encoder noise')));
  return { encoder: { ...real, z: sample }, generator, passes: [generated, encoded], encoding };
}

/** (G(z), z) of fresh latents. */
export function generatedBatch(context: StepContext, trains: boolean, random: RandomStreams) {
  const { model, train } = context.config;
  const z = sampleOf(model.prior, [train.batchSize, model.latent], random('latent'));
  const label = context.inputs.labels && randomLabels(train.batchSize, model.classes, random('label'));
  const pass = trainingPass(context, trains);
  return { pair: { x: generate(pass, z, model, label), z, label }, pass };
}

/** The batch of one D update, its images as floats, mirrored at random where the run asks for it. */
export function realBatch({ config, inputs }: StepContext, index: number, random: RandomStreams): Pair {
  const { batchSize, discriminatorSteps, flip } = config.train;
  const sizes = Array.from({ length: discriminatorSteps }, () => batchSize);
  const own = (all: Tensor) => splitSizes(all, sizes, 0)[Math.min(index, discriminatorSteps - 1)];
  const x = fromPixels(own(inputs.images));
  const label = inputs.labels && own(inputs.labels);
  if (!flip) return { x, label };
  const coin = less(randomUniform([batchSize], random('flip')), scalar(0.5));
  const mirrored = reshape(cast(coin, 'float32'), [batchSize, 1, 1, 1]);
  return { x: add(x, mul(sub(reverse(x, 2), x), mirrored)), label };
}

/** Scores of both kinds of pair from one pass of D over all of them. */
export function scorePairs(pass: Pass, { encoder, generator }: Pick<Forward, 'encoder' | 'generator'>, model: ModelConfig) {
  const n = encoder.x.shape[0];
  const both = (a: Tensor | undefined, b: Tensor | undefined) => (a && b ? concat([a, b], 0) : undefined);
  const images = [shrinkTo(model.resolution, encoder.x), generator.x];
  const judged = { images, latents: both(encoder.z, generator.z), labels: both(encoder.label, generator.label) };
  const halves = Object.entries(discriminate(pass, judged, model)).map(([term, score]) => [term, splitSizes(score, [n, n], 0)] as const);
  const side = (i: number): Scores => Object.fromEntries(halves.map(([term, half]) => [term, half[i]]));
  return { encoder: side(0), generator: side(1) };
}

/** Means of 2×2 pixels until the side is `resolution`: D sees G's size where E sees more (section 3.1, High Res E). */
export function shrinkTo(resolution: number, x: Tensor): Tensor {
  return x.shape[1] > resolution ? shrinkTo(resolution, avgPool2(x)) : x;
}

/** The pairs as D trains on them: no gradient flows into G and E. */
export function detached(forward: Forward): Forward {
  const cut = ({ x, z, label }: Pair): Pair => ({ x: stopGradient(x), z: z && stopGradient(z), label });
  return { ...forward, encoder: cut(forward.encoder), generator: cut(forward.generator) };
}

export type RandomStreams = (use: string) => Tensor;

/** Seeds that depend on the run, the use, the step and the index within it. */
export function streams({ config, inputs }: StepContext, index: number): RandomStreams {
  return (use) => stack([scalar(hash(`${config.seed}/${use}/${index}`), 'int32'), inputs.step]);
}

/** Each score's mean over (x, E(x)) and over (G(z), z). */
export function scoreMeans(scores: { encoder: Scores; generator: Scores }, { discriminator }: ModelConfig): Tensor[] {
  return discriminator.scores.flatMap((term) => [mean(scores.encoder[term]!), mean(scores.generator[term]!)]);
}

/** Spread of μ over the batch, averaged over dimensions, and mean of σ: a dead encoder shows here first. */
export function encoderHealth({ mean: mu, std }: Encoding): Tensor[] {
  const x = stopGradient(mu);
  const centred = sub(x, mean(x, [0], true));
  return [mean(sqrt(mean(mul(centred, centred), [0]))), std ? mean(std) : scalar(0)];
}
