/** G and E as functions on arrays, in batches of one size: the last is padded, so no row depends on its batch. */
import type { EagerExecutor } from '../backend/eager.js';
import { type Tensor, size } from '../backend/tensor.js';
import type { ResourceVariables } from '../backend/variables.js';
import type { Pass } from '../layers/scope.js';
import { modelPass } from './bigbigan.js';
import type { ModelConfig } from './config.js';
import { encode } from './encoder.js';
import { generate } from './generator.js';
import { fromPixels, toPixels } from './pixels.js';

/** Rows of encodings, each float32 [n, width]. */
export interface EncodedBatch {
  avepool: Float32Array;
  bn_crelu: Float32Array;
  z_mean: Float32Array;
  /** 0 where E is deterministic. */
  z_std: Float32Array;
}

export interface InferenceModel {
  config: ModelConfig;
  /** Width of each output of `encode`. */
  widths: Record<keyof EncodedBatch, number>;
  /** uint8 images [count,h,w,c] → encodings. */
  encode(images: Uint8Array, count: number): EncodedBatch;
  /** Latents float32 [count, latent] → uint8 images [count,h,w,c]. */
  generate(latents: Float32Array, count: number): Uint8Array;
}

export function inferenceModel(
  engine: EagerExecutor,
  config: ModelConfig,
  variables: ResourceVariables,
  { batchSize, weights }: { batchSize: number; weights: Pass['weights'] },
): InferenceModel {
  const { resolution, channels, latent } = config;
  const pixels = resolution * resolution * channels;
  const features = config.encoder.channels * config.encoder.multipliers.at(-1)!;
  const pass = () => modelPass(config, variables, { weights });
  const read = (tensor: Tensor, count: number): Float32Array =>
    (engine.read(tensor) as Float32Array).slice(0, count * size(tensor.shape.slice(1)));

  return {
    config,
    widths: { avepool: features, bn_crelu: 2 * features, z_mean: latent, z_std: latent },
    encode(images, count) {
      const padded = pad(images, batchSize * pixels);
      return engine.scope(() => {
        const input = engine.constant(padded, [batchSize, resolution, resolution, channels], 'uint8');
        const encoding = encode(pass(), fromPixels(input), config);
        return {
          avepool: read(encoding.avepool, count),
          bn_crelu: read(encoding.bnCrelu, count),
          z_mean: read(encoding.mean, count),
          z_std: encoding.std ? read(encoding.std, count) : new Float32Array(count * latent),
        };
      });
    },
    generate(latents, count) {
      const padded = pad(latents, batchSize * latent);
      return engine.scope(() => {
        const z = engine.constant(padded, [batchSize, latent], 'float32');
        return toPixels(read(generate(pass(), z, config), count));
      });
    },
  };
}

/** A fresh array of `length`, filled up with zeros. */
function pad<T extends Uint8Array | Float32Array>(values: T, length: number): T {
  if (values.length > length) throw new RangeError(`${values.length} values do not fit a batch of ${length}`);
  const padded = new (values.constructor as new (n: number) => T)(length);
  padded.set(values);
  return padded;
}
