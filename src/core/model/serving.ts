/** The networks as functions for other programs, with the names of DeepMind's published BigBiGAN modules. */
import type { OutputSpec } from '../backend/executor.js';
import type { GraphFunction } from '../backend/graph-function.js';
import { freshNormal, zerosLike } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import type { Pass } from '../layers/scope.js';
import { modelPass } from './bigbigan.js';
import { hasEncoder, imageResolution, type ModelConfig } from './config.js';
import { discriminate } from './discriminator.js';
import { encode, sampleLatent } from './encoder.js';
import { latentBatch } from './functions.js';
import { generate } from './generator.js';

export const SERVED = ['generate', 'encode', 'discriminate'] as const;

export type ServedFunctions = Partial<Record<(typeof SERVED)[number], GraphFunction>>;

/**
 * For batches of n. Images are float32 [n,h,w,c] in [−1, 1].
 * - `generate`: `z` → `default`, the images.
 * - `encode`: `x` → `z_mean` (also as `default`), `z_stdev` (0 where E is deterministic), `z_sample` (with fresh noise
 *   at every call), `avepool_feat`, `bn_crelu_feat`.
 * - `discriminate`: `x` and `z` → `score_xz`, `score_x`, `score_z`, as far as the model has them.
 *
 * A dense D is left out: it has batch norm, whose standing statistics are taken of G and E alone.
 * A model of several labels also takes them, as `y`, int32 [n]; one without E has no `encode`.
 */
export function servingFunctions(config: ModelConfig, n: number, weights: Pass['weights']): ServedFunctions {
  const images = (side: number) => ({ shape: [n, side, side, config.channels], dtype: 'float32' as const });
  const latents = latentBatch(config, n);
  const labels: Record<string, OutputSpec> = config.classes === 1 ? {} : { y: { shape: [n], dtype: 'int32' } };
  const functions: ServedFunctions = {
    generate: {
      inputs: { z: latents, ...labels },
      run: ({ z, y }, variables) => ({ default: generate(modelPass(config, variables, { weights }), z, config, y) }),
    },
  };
  if (config.discriminator.kind === 'residual') {
    functions.discriminate = {
      inputs: { x: images(config.resolution), ...(hasEncoder(config) ? { z: latents } : {}), ...labels },
      run({ x, z, y }, variables) {
        // D has no moving average.
        const judged = { images: [x], latents: z, labels: y };
        const scores = discriminate(modelPass(config, variables, { weights: 'trained' }), judged, config);
        return Object.fromEntries(Object.entries<Tensor>(scores).map(([term, score]) => [`score_${term}`, score]));
      },
    };
  }
  if (hasEncoder(config)) {
    functions.encode = {
      inputs: { x: images(imageResolution(config)) },
      run({ x }, variables) {
        const encoding = encode(modelPass(config, variables, { weights }), x, config);
        const { avepool, bnCrelu, mean, std = zerosLike(mean) } = encoding;
        const sample = sampleLatent(encoding, freshNormal(mean));
        return {
          default: mean,
          z_mean: mean,
          z_stdev: std,
          z_sample: sample,
          avepool_feat: avepool,
          bn_crelu_feat: bnCrelu,
        };
      },
    };
  }
  return functions;
}
