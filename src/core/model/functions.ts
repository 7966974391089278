/** G and E as functions of a machine, for batches of one size. */
import type { OutputSpec } from '../backend/executor.js';
import type { GraphFunction } from '../backend/graph-function.js';
import { zerosLike } from '../backend/ops.js';
import type { Pass } from '../layers/scope.js';
import { modelPass } from './bigbigan.js';
import { hasEncoder, imageResolution, type ModelConfig } from './config.js';
import { encode } from './encoder.js';
import { generate } from './generator.js';
import { fromPixels } from './pixels.js';

/** A batch of images as it is in files, of the resolution that E sees: uint8 [n,h,w,c]. */
export function imageBatch(config: ModelConfig, n: number): OutputSpec {
  const side = imageResolution(config);
  return { shape: [n, side, side, config.channels], dtype: 'uint8' };
}

export function latentBatch({ latent }: ModelConfig, n: number): OutputSpec {
  return { shape: [n, latent], dtype: 'float32' };
}

/** The input `labels`, int32 [n], of functions that need one: none where there is a single label. */
export function labelBatch({ classes }: ModelConfig, n: number): Record<string, OutputSpec> {
  return classes === 1 ? {} : { labels: { shape: [n], dtype: 'int32' } };
}

/** What a model can do on its own: `generate`, and `encode` where there is an E. */
export function inferenceFunctions(
  config: ModelConfig,
  n: number,
  weights: Pass['weights'],
): Record<'encode' | 'generate', GraphFunction> {
  const functions = {
    generate: generateFunction(config, n, weights),
    ...(hasEncoder(config) ? { encode: encodeFunction(config, n, weights) } : {}),
  };
  return functions as Record<'encode' | 'generate', GraphFunction>;
}

/** `images` → avepool, bn_crelu, z_mean, z_std (0 where E is deterministic). */
export function encodeFunction(config: ModelConfig, n: number, weights: Pass['weights']): GraphFunction {
  return {
    inputs: { images: imageBatch(config, n) },
    run({ images }, variables) {
      const { avepool, bnCrelu, mean, std } = encode(
        modelPass(config, variables, { weights }),
        fromPixels(images),
        config,
      );
      return { avepool, bn_crelu: bnCrelu, z_mean: mean, z_std: std ?? zerosLike(mean) };
    },
  };
}

/** `z` (and `labels`) → images, float32 [n,h,w,c] in [−1, 1]. */
export function generateFunction(config: ModelConfig, n: number, weights: Pass['weights']): GraphFunction {
  return {
    inputs: { z: latentBatch(config, n), ...labelBatch(config, n) },
    run: ({ z, labels }, variables) => ({
      images: generate(modelPass(config, variables, { weights }), z, config, labels),
    }),
  };
}
