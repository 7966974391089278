/** What a step computes before any loss: a batch of real images, generated ones, their latents, and scores of both. */
import { hash } from '../../backend/initialise.js';
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
  rows,
  scalar,
  splitSizes,
  sqrt,
  stack,
  stopGradient,
  sub,
} from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import type { ResourceVariables } from '../../backend/variables.js';
import type { Config } from '../../config/config.js';
import type { Pass } from '../../layers/scope.js';
import { modelPass } from '../../model/bigbigan.js';
import { hasEncoder, type ModelConfig } from '../../model/config.js';
import { discriminate } from '../../model/discriminator.js';
import { encode, sampleLatent } from '../../model/encoder.js';
import type { Encoding } from '../../model/encoding.js';
import { generate } from '../../model/generator.js';
import type { Scores } from '../../model/judged.js';
import { randomLabels } from '../../model/labels.js';
import { sampleOf } from '../../model/latents.js';
import { fromPixels } from '../../model/pixels.js';
import type { AdamInputs } from './adam.js';

/** What a training step is made from. */
export interface StepContext {
  config: Config;
  variables: ResourceVariables;
  inputs: Record<string, Tensor>;
  /**
   * Where `images` are only some of one batch: how many, and the place in the batch of the first one, an int32 scalar.
   * Noise is drawn for the whole batch, of which these take their own rows: an image's does not depend on how the batch
   * is split.
   */
  microbatch?: { size: number; first: Tensor };
  /** Of batch norm: the images' own, unless a test fixes them. */
  statistics?: 'batch' | 'standing';
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

/**
 * A pass by the batch's statistics; `trains` if gradients of its parameters will be asked for. Power iteration moves
 * on, except for microbatches, all of which see the same weights: then power iteration moves on after the last one.
 */
export function trainingPass(
  { config, variables, microbatch, statistics = 'batch' }: StepContext,
  trains: boolean,
): Pass {
  return modelPass(config.model, variables, {
    weights: 'trained',
    statistics,
    updatesSpectralNorm: !microbatch,
    trains,
  });
}

/** A batch of noise or labels: the rows of the current images. */
function ownRows({ microbatch }: StepContext, batch: Tensor): Tensor {
  return microbatch ? rows(batch, microbatch.first, microbatch.size) : batch;
}

/** Adam's inputs of the update `name`. */
export function adamInputs(inputs: Record<string, Tensor>, name: string): AdamInputs {
  return {
    learningRate: inputs[`${name}_rate`],
    beta1Power: inputs[`${name}_beta1_power`],
    beta2Power: inputs[`${name}_beta2_power`],
  };
}

/** Both kinds of pair, with noise of their own for each `index` within a step. */
export function forwardPairs(context: StepContext, index: number, trains: boolean): Forward {
  const { model, train } = context.config;
  const random = streams(context, index);
  const real = realBatch(context, index, random);
  const { pair: generator, pass: generated } = generatedBatch(context, trains, random);
  if (!hasEncoder(model)) return { encoder: real, generator, passes: [generated] };
  const encoded = trainingPass(context, trains);
  const encoding = encode(encoded, real.x, model);
  const noise = ownRows(context, randomNormal([train.batchSize, model.latent], random('encoder noise')));
  const sample = sampleLatent(encoding, noise);
  return { encoder: { ...real, z: sample }, generator, passes: [generated, encoded], encoding };
}

/** (G(z), z) of fresh latents. */
export function generatedBatch(context: StepContext, trains: boolean, random: RandomStreams) {
  const { model, train } = context.config;
  const z = ownRows(context, sampleOf(model.prior, [train.batchSize, model.latent], random('latent')));
  const label =
    context.inputs.labels && ownRows(context, randomLabels(train.batchSize, model.classes, random('label')));
  const pass = trainingPass(context, trains);
  return { pair: { x: generate(pass, z, model, label), z, label }, pass };
}

/** The batch of one D update, its images as floats, mirrored at random where the run asks for it. */
export function realBatch(context: StepContext, index: number, random: RandomStreams): Pair {
  const { config, inputs, microbatch } = context;
  const { batchSize, discriminatorSteps, flip } = config.train;
  const sizes = Array.from({ length: discriminatorSteps }, () => batchSize);
  const own = (all: Tensor) => (microbatch ? all : splitSizes(all, sizes, 0)[batchOf(index, config.train)]);
  const x = fromPixels(own(inputs.images));
  const label = inputs.labels && own(inputs.labels);
  if (!flip) return { x, label };
  const coin = less(ownRows(context, randomUniform([batchSize], random('flip'))), scalar(0.5));
  const mirrored = reshape(cast(coin, 'float32'), [x.shape[0], 1, 1, 1]);
  return { x: add(x, mul(sub(reverse(x, 2), x), mirrored)), label };
}

/** Which of a step's batches of real images the forward pass of an index sees: the last D update's is used again. */
export function batchOf(index: number, { discriminatorSteps }: Config['train']): number {
  return Math.min(index, discriminatorSteps - 1);
}

/** Scores of both kinds of pair from one pass of D over all of them. */
export function scorePairs(
  pass: Pass,
  { encoder, generator }: Pick<Forward, 'encoder' | 'generator'>,
  model: ModelConfig,
) {
  const n = encoder.x.shape[0];
  const both = (a: Tensor | undefined, b: Tensor | undefined) => (a && b ? concat([a, b], 0) : undefined);
  const images = [shrinkTo(model.resolution, encoder.x), generator.x];
  const judged = { images, latents: both(encoder.z, generator.z), labels: both(encoder.label, generator.label) };
  const halves = Object.entries(discriminate(pass, judged, model)).map(
    ([term, score]) => [term, splitSizes(score, [n, n], 0)] as const,
  );
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
export function scoreMeans(
  scores: { encoder: Scores; generator: Scores },
  { discriminator }: ModelConfig,
): Record<string, Tensor> {
  const means = discriminator.scores.flatMap((term) =>
    (['encoder', 'generator'] as const).map((kind) => [`score_${term}_${kind}`, mean(scores[kind][term]!)] as const),
  );
  return Object.fromEntries(means);
}

/** Spread of μ over the batch, averaged over dimensions, and mean of σ: a dead encoder shows here first. */
export function encoderHealth({ mean: mu, std }: Encoding): Record<string, Tensor> {
  const x = stopGradient(mu);
  const centred = sub(x, mean(x, [0], true));
  return { encoder_mean_std: mean(sqrt(mean(mul(centred, centred), [0]))), encoder_sigma: std ? mean(std) : scalar(0) };
}
