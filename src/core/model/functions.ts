/** G and E as functions of a machine, for batches of one size. */
import type { OutputSpec } from '../backend/executor.js';
import type { GraphFunction } from '../backend/machine.js';
import { fill } from '../backend/ops.js';
import type { Pass } from '../layers/scope.js';
import { modelPass } from './bigbigan.js';
import type { ModelConfig } from './config.js';
import { encode } from './encoder.js';
import { generate } from './generator.js';
import { fromPixels } from './pixels.js';

/** A batch of images as it is in files: uint8 [n,h,w,c]. */
export function imageBatch({ resolution, channels }: ModelConfig, n: number): OutputSpec {
  return { shape: [n, resolution, resolution, channels], dtype: 'uint8' };
}

export function latentBatch({ latent }: ModelConfig, n: number): OutputSpec {
  return { shape: [n, latent], dtype: 'float32' };
}

/** `images` → avepool, bn_crelu, z_mean, z_std (0 where E is deterministic). */
export function encodeFunction(config: ModelConfig, n: number, weights: Pass['weights']): GraphFunction {
  return {
    inputs: { images: imageBatch(config, n) },
    run({ images }, variables) {
      const { avepool, bnCrelu, mean, std } = encode(modelPass(config, variables, { weights }), fromPixels(images), config);
      return { avepool, bn_crelu: bnCrelu, z_mean: mean, z_std: std ?? fill(0, mean.shape) };
    },
  };
}

/** `z` → images, float32 [n,h,w,c] in [−1, 1]. */
export function generateFunction(config: ModelConfig, n: number, weights: Pass['weights']): GraphFunction {
  return {
    inputs: { z: latentBatch(config, n) },
    run: ({ z }, variables) => ({ images: generate(modelPass(config, variables, { weights }), z, config) }),
  };
}
