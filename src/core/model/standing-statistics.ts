/** Standing statistics: what batch norm uses in inference (Brock et al. 2019, appendix D). */
import type { EagerExecutor } from '../backend/eager.js';
import type { OutputSpec, Values } from '../backend/executor.js';
import type { GraphFunction } from '../backend/graph-function.js';
import type { Machine } from '../backend/machine.js';
import { fill, scalar } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { AVERAGE, type Pass } from '../layers/scope.js';
import { modelPass } from './bigbigan.js';
import { hasEncoder, type ModelConfig } from './config.js';
import { encode } from './encoder.js';
import { imageBatch, labelBatch, latentBatch } from './functions.js';
import { generate } from './generator.js';
import { type LatentSpace, labelsOf, latentsOf } from './latents.js';
import { fromPixels } from './pixels.js';

type Weights = Pass['weights'];
/** Images, or latents; and labels where there are several. */
type StatisticsBatch = { images: Values; labels?: Values } | Record<string, Values>;
type Network = 'encoder' | 'generator';
type Part<W extends Weights> = `${'clear' | 'take'}_${Network}_${W}`;

/**
 * Functions that set statistics to 0, and that add one batch's share; those of E where there is one. G's are taken on
 * latents `z` of the prior, or, with `codes` 'encoder', on those of `images`, once E has statistics.
 */
export function statisticsFunctions<W extends Weights>(
  config: ModelConfig,
  batchSize: number,
  views: readonly W[],
  codes: 'prior' | 'encoder' = 'prior',
): Record<Part<W>, GraphFunction> {
  const images = { images: imageBatch(config, batchSize) };
  const labels = labelBatch(config, batchSize);
  const latents = { z: latentBatch(config, batchSize), ...labels };
  const labelled = { ...images, ...labels };
  const functions: Partial<Record<Part<Weights>, GraphFunction>> = {};
  for (const weights of views) {
    functions[`clear_generator_${weights}`] = clear('generator', weights);
    functions[`take_generator_${weights}`] =
      codes === 'prior'
        ? take(config, weights, latents, (pass, { z, labels }) => generate(pass, z, config, labels))
        : take(config, weights, labelled, (pass, batch) => {
            const encoding = encode(modelPass(config, pass.variables, { weights }), fromPixels(batch.images), config);
            return generate(pass, encoding.mean, config, batch.labels);
          });
    if (!hasEncoder(config)) continue;
    functions[`clear_encoder_${weights}`] = clear('encoder', weights);
    functions[`take_encoder_${weights}`] = take(
      config,
      weights,
      images,
      (pass, batch) => encode(pass, fromPixels(batch.images), config).avepool,
    );
  }
  return functions as Record<Part<W>, GraphFunction>;
}

function clear(network: Network, weights: Weights): GraphFunction {
  const prefix = `${weights === 'average' ? AVERAGE : ''}${network}/`;
  return {
    inputs: {},
    run(_, variables) {
      for (const [name, { shape }] of variables.specs) {
        if (name.startsWith(prefix) && /\/standing_(mean|variance)$/.test(name)) variables.assign(name, fill(0, shape));
      }
      return { done: scalar(0) };
    },
  };
}

function take(
  config: ModelConfig,
  weights: Weights,
  batch: Record<string, OutputSpec>,
  network: (pass: Pass, batch: Record<string, Tensor>) => Tensor,
): GraphFunction {
  return {
    inputs: { ...batch, share: { shape: [], dtype: 'float32' } },
    run({ share, ...inputs }, variables) {
      network(modelPass(config, variables, { weights, statistics: { share } }), inputs);
      return { done: scalar(0) };
    },
  };
}

/** The settings of training that say what a batch is. */
interface BatchSettings {
  batchSize: number;
  microbatch: number | null;
  statisticsBatches: number;
}

/**
 * How many batches standing statistics are taken over, and of how many images each: as many images as batch norm
 * sees in training.
 */
export function statisticsBatches(
  { batchSize, microbatch, statisticsBatches }: BatchSettings,
  batches = statisticsBatches,
): { size: number; count: number } {
  const size = microbatch ?? batchSize;
  return { size, count: batches * (batchSize / size) };
}

/** Each layer's batch mean and variance, averaged over `count` batches, become what the layer uses in inference. */
export async function takeStatistics<W extends Weights>(
  machine: Machine<Part<W>>,
  network: Network,
  views: readonly W[],
  count: number,
  batches: Iterable<StatisticsBatch> | AsyncIterable<StatisticsBatch>,
): Promise<void> {
  for (const weights of views) machine.call(`clear_${network}_${weights}`, {});
  const share = Float32Array.of(1 / count);
  for await (const batch of batches) {
    for (const weights of views)
      machine.call(`take_${network}_${weights}`, { ...batch, share } as Record<string, Values>);
  }
}

/** Latents and labels for G's statistics; their seeds are below 0, so that no image's own latent is among them. */
export function* statisticsLatents(
  engine: EagerExecutor,
  batches: number,
  { batchSize, space, truncation }: { batchSize: number; space: LatentSpace; truncation?: number },
): Generator<Record<string, Values>> {
  for (let index = 0; index < batches; index++) {
    const seeds = Array.from({ length: batchSize }, (_, i) => -1 - index * batchSize - i);
    const z = latentsOf(engine, seeds, space, truncation);
    yield { z, ...(space.classes > 1 && { labels: labelsOf(seeds, space) }) };
  }
}
