/** Standing statistics: what batch norm uses in inference (Brock et al. 2019, appendix D). */
import type { EagerExecutor } from '../backend/eager.js';
import type { OutputSpec } from '../backend/executor.js';
import type { GraphFunction, Machine } from '../backend/machine.js';
import { fill, scalar } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { AVERAGE, type Pass } from '../layers/scope.js';
import { modelPass } from '../model/bigbigan.js';
import type { ModelConfig } from '../model/config.js';
import { encode } from '../model/encoder.js';
import { imageBatch, latentBatch } from '../model/functions.js';
import { generate } from '../model/generator.js';
import { latentsOf } from '../model/latents.js';
import { fromPixels } from '../model/pixels.js';

type Weights = Pass['weights'];
type Network = 'encoder' | 'generator';
type Part = `${'clear' | 'take'}_${Network}_${Weights}`;

/** Functions that set statistics to 0, and that add one batch's share. */
export function statisticsFunctions<W extends Weights>(
  config: ModelConfig,
  batchSize: number,
  views: readonly W[],
): Record<`${'clear' | 'take'}_${Network}_${W}`, GraphFunction> {
  const entries = views.flatMap((weights): [Part, GraphFunction][] => [
    [`clear_encoder_${weights}`, clear('encoder', weights)],
    [`clear_generator_${weights}`, clear('generator', weights)],
    [
      `take_encoder_${weights}`,
      take(config, weights, imageBatch(config, batchSize), (pass, images) => encode(pass, fromPixels(images), config).avepool),
    ],
    [`take_generator_${weights}`, take(config, weights, latentBatch(config, batchSize), (pass, z) => generate(pass, z, config))],
  ]);
  return Object.fromEntries(entries) as Record<`${'clear' | 'take'}_${Network}_${W}`, GraphFunction>;
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
  batch: OutputSpec,
  network: (pass: Pass, batch: Tensor) => Tensor,
): GraphFunction {
  return {
    inputs: { batch, share: { shape: [], dtype: 'float32' } },
    run(inputs, variables) {
      network(modelPass(config, variables, { weights, statistics: { share: inputs.share } }), inputs.batch);
      return { done: scalar(0) };
    },
  };
}

/** The mean over `batches` of each layer's batch mean and variance becomes what the layer uses in inference. */
export function takeStatistics<W extends Weights>(
  machine: Machine<`${'clear' | 'take'}_${Network}_${W}`>,
  network: Network,
  weights: W,
  batches: readonly (Uint8Array | Float32Array)[],
): void {
  machine.call(`clear_${network}_${weights}`, {});
  const share = 1 / batches.length;
  for (const batch of batches) machine.call(`take_${network}_${weights}`, { batch, share: Float32Array.of(share) });
}

/** Latents for G's statistics; their seeds are below 0, so that no image's own latent is among them. */
export function statisticsLatents(
  engine: EagerExecutor,
  batches: number,
  { batchSize, latent, truncation }: { batchSize: number; latent: number; truncation?: number },
): Float32Array[] {
  return Array.from({ length: batches }, (_, index) => {
    const seeds = Array.from({ length: batchSize }, (_, i) => -1 - index * batchSize - i);
    return latentsOf(engine, seeds, latent, truncation);
  });
}
