/** G and E on arrays of any length up to a batch: the rest is padded, so no row depends on its batch. */
import type { Machine } from '../backend/machine.js';
import type { Values } from '../backend/executor.js';
import type { ModelConfig } from './config.js';
import { toPixels } from './pixels.js';

/** Rows of encodings, each float32 [n, width]. */
export interface EncodedBatch {
  avepool: Float32Array;
  bn_crelu: Float32Array;
  z_mean: Float32Array;
  /** 0 where E is deterministic. */
  z_std: Float32Array;
}

export interface ImageShape {
  height: number;
  width: number;
  channels: number;
}

/** What goes into the networks and comes out. */
export interface ModelShapes {
  /** Images that E takes. */
  input: ImageShape;
  /** Images that G gives. */
  output: ImageShape;
  /** Dimensions of a latent. */
  latent: number;
}

export function modelShapes({ resolution, channels, latent }: ModelConfig): ModelShapes {
  const image = { height: resolution, width: resolution, channels };
  return { input: image, output: image, latent };
}

export interface InferenceModel extends ModelShapes {
  /** Width of each output of `encode`. */
  widths: Record<keyof EncodedBatch, number>;
  /** uint8 images [count,h,w,c] → encodings. */
  encode(images: Uint8Array, count: number): EncodedBatch;
  /** Latents float32 [count, latent] → uint8 images [count,h,w,c]. */
  generate(latents: Float32Array, count: number): Uint8Array;
}

/** Over a machine with functions `encode` and `generate` for batches of `batchSize`. */
export function inferenceModel(machine: Machine<'encode' | 'generate'>, config: ModelConfig, batchSize: number): InferenceModel {
  const { resolution, channels, latent } = config;
  const pixels = resolution * resolution * channels;
  const features = config.encoder.channels * config.encoder.multipliers.at(-1)!;
  const widths = { avepool: features, bn_crelu: 2 * features, z_mean: latent, z_std: latent };
  const rows = (values: Values, count: number, width: number) => (values as Float32Array).slice(0, count * width);

  return {
    ...modelShapes(config),
    widths,
    encode(images, count) {
      const outputs = machine.call('encode', { images: pad(images, batchSize * pixels) });
      const cut = (name: keyof EncodedBatch) => rows(outputs[name], count, widths[name]);
      return { avepool: cut('avepool'), bn_crelu: cut('bn_crelu'), z_mean: cut('z_mean'), z_std: cut('z_std') };
    },
    generate(latents, count) {
      const { images } = machine.call('generate', { z: pad(latents, batchSize * latent) });
      return toPixels(rows(images, count, pixels));
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
