/** The networks as functions for other programs, with the names of DeepMind's published BigBiGAN modules. */
import type { GraphFunction } from '../backend/machine.js';
import { freshNormal, scale } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import type { Pass } from '../layers/scope.js';
import { modelPass } from './bigbigan.js';
import type { ModelConfig } from './config.js';
import { discriminate } from './discriminator.js';
import { encode, sampleLatent } from './encoder.js';
import { latentBatch } from './functions.js';
import { generate } from './generator.js';

export const SERVED = ['generate', 'encode', 'discriminate'] as const;

/**
 * For batches of n. Images are float32 [n,h,w,c] in [−1, 1].
 * - `generate`: `z` → `default`, the images.
 * - `encode`: `x` → `z_mean` (also as `default`), `z_stdev` (0 where E is deterministic), `z_sample` (with fresh noise
 *   at every call), `avepool_feat`, `bn_crelu_feat`.
 * - `discriminate`: `x` and `z` → `score_xz`, `score_x`, `score_z`, as far as the model has them.
 */
export function servingFunctions(
  config: ModelConfig,
  n: number,
  weights: Pass['weights'],
): Record<(typeof SERVED)[number], GraphFunction> {
  const { resolution, channels } = config;
  const images = { shape: [n, resolution, resolution, channels], dtype: 'float32' as const };
  const latents = latentBatch(config, n);
  return {
    generate: {
      inputs: { z: latents },
      run: ({ z }, variables) => ({ default: generate(modelPass(config, variables, { weights }), z, config) }),
    },
    encode: {
      inputs: { x: images },
      run({ x }, variables) {
        const encoding = encode(modelPass(config, variables, { weights }), x, config);
        const { avepool, bnCrelu, mean, std = scale(mean, 0) } = encoding;
        const sample = sampleLatent(encoding, freshNormal(mean));
        return { default: mean, z_mean: mean, z_stdev: std, z_sample: sample, avepool_feat: avepool, bn_crelu_feat: bnCrelu };
      },
    },
    discriminate: {
      inputs: { x: images, z: latents },
      run({ x, z }, variables) {
        // D has no moving average.
        const scores = discriminate(modelPass(config, variables, { weights: 'trained' }), [x], z, config);
        return Object.fromEntries(Object.entries<Tensor>(scores).map(([term, score]) => [`score_${term}`, score]));
      },
    },
  };
}
