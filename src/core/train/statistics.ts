/** Standing statistics: what batch norm uses in inference (BigGAN, Brock et al. 2019, appendix D). */
import type { EagerExecutor } from '../backend/eager.js';
import { fill } from '../backend/ops.js';
import type { ResourceVariables } from '../backend/variables.js';
import { AVERAGE, type Pass } from '../layers/scope.js';
import { modelPass } from '../model/bigbigan.js';
import type { ModelConfig } from '../model/config.js';
import { encode } from '../model/encoder.js';
import { generate } from '../model/generator.js';
import { latentsOf } from '../model/latents.js';
import { fromPixels } from '../model/pixels.js';

type Weights = Pass['weights'];

/** E's: the mean over batches of real images of each layer's batch mean and variance. Batches are uint8 [n,h,w,c]. */
export function takeEncoderStatistics(
  engine: EagerExecutor,
  config: ModelConfig,
  variables: ResourceVariables,
  weights: Weights,
  batches: Uint8Array[],
): void {
  const { resolution, channels } = config;
  takeStatistics(engine, variables, weights, 'encoder', batches.length, (index, share) => {
    const batch = batches[index];
    const shape = [batch.length / (resolution * resolution * channels), resolution, resolution, channels];
    const pass = modelPass(config, variables, { weights, statistics: { share } });
    encode(pass, fromPixels(engine.constant(batch, shape, 'uint8')), config);
  });
}

/** G's: the same over batches of latents, float32 [n · latent]. */
export function takeGeneratorStatistics(
  engine: EagerExecutor,
  config: ModelConfig,
  variables: ResourceVariables,
  weights: Weights,
  batches: Float32Array[],
): void {
  const { latent } = config;
  takeStatistics(engine, variables, weights, 'generator', batches.length, (index, share) => {
    const z = engine.constant(batches[index], [batches[index].length / latent, latent], 'float32');
    generate(modelPass(config, variables, { weights, statistics: { share } }), z, config);
  });
}

/** Batch `index` of the latents for G's statistics; their seeds are below 0, so that no image's own latent is among them. */
export function statisticsLatents(
  engine: EagerExecutor,
  index: number,
  { batchSize, latent, truncation }: { batchSize: number; latent: number; truncation?: number },
): Float32Array {
  const seeds = Array.from({ length: batchSize }, (_, i) => -1 - index * batchSize - i);
  return latentsOf(engine, seeds, latent, truncation);
}

function takeStatistics(
  engine: EagerExecutor,
  variables: ResourceVariables,
  weights: Weights,
  module: string,
  passes: number,
  run: (index: number, share: number) => void,
): void {
  const prefix = `${weights === 'average' ? AVERAGE : ''}${module}/`;
  for (const [name, { shape }] of variables.specs) {
    if (!name.startsWith(prefix) || !/\/standing_(mean|variance)$/.test(name)) continue;
    engine.scope(() => variables.assign(name, fill(0, shape)));
  }
  for (let i = 0; i < passes; i++) engine.scope(() => run(i, 1 / passes));
}
