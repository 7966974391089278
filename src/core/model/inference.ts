/** G and E on arrays of any length up to a batch: the rest is padded, so no row depends on its batch. */

import type { Values } from '../backend/executor.js';
import type { Machine } from '../backend/machine.js';
import { UserError } from '../errors.js';
import { featureWidth, hasEncoder, imageResolution, type ModelConfig } from './config.js';
import type { LatentSpace } from './latents.js';
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
export interface ModelShapes extends LatentSpace {
  /** Images that E takes. */
  input: ImageShape;
  /** Images that G gives. */
  output: ImageShape;
}

export function modelShapes(config: ModelConfig): ModelShapes {
  const { resolution, channels, latent, prior, classes } = config;
  const image = (side: number) => ({ height: side, width: side, channels });
  return { input: image(imageResolution(config)), output: image(resolution), latent, prior, classes };
}

export interface InferenceModel extends ModelShapes {
  /** Width of each output of `encode`. */
  widths: Record<keyof EncodedBatch, number>;
  /** uint8 images [count,h,w,c] → encodings. */
  encode(images: Uint8Array, count: number): EncodedBatch;
  /** Latents float32 [count, latent], and labels int32 [count] where there are several → uint8 images [count,h,w,c]. */
  generate(latents: Float32Array, count: number, labels?: Int32Array): Uint8Array;
}

/** Over a machine with functions `encode` and `generate` for batches of `batchSize`. */
export function inferenceModel(
  machine: Machine<'encode' | 'generate'>,
  config: ModelConfig,
  batchSize: number,
): InferenceModel {
  const { latent, classes } = config;
  const shapes = modelShapes(config);
  const [seen, made] = [shapes.input, shapes.output].map(({ height, width, channels }) => height * width * channels);
  const features = featureWidth(config);
  const widths = { avepool: features, bn_crelu: 2 * features, z_mean: latent, z_std: latent };
  const rows = (values: Values, count: number, width: number) => (values as Float32Array).slice(0, count * width);

  return {
    ...shapes,
    widths,
    encode(images, count) {
      if (!hasEncoder(config)) throw noEncoder();
      const outputs = machine.call('encode', { images: pad(images, batchSize * seen) });
      const cut = (name: keyof EncodedBatch) => rows(outputs[name], count, widths[name]);
      return { avepool: cut('avepool'), bn_crelu: cut('bn_crelu'), z_mean: cut('z_mean'), z_std: cut('z_std') };
    },
    generate(latents, count, labels) {
      const conditions: Record<string, Values> =
        classes === 1 ? {} : { labels: pad(labels ?? new Int32Array(count), batchSize) };
      const { images } = machine.call('generate', { z: pad(latents, batchSize * latent), ...conditions });
      return toPixels(rows(images, count, made));
    },
  };
}

export const noEncoder = () =>
  new UserError('the model has no encoder', { hint: 'it was trained as a plain GAN: use one that has E' });

/** A fresh array of `length`, filled up with zeros. */
function pad<T extends Uint8Array | Int32Array | Float32Array>(values: T, length: number): T {
  if (values.length > length) throw new RangeError(`${values.length} values do not fit a batch of ${length}`);
  const padded = new (values.constructor as new (n: number) => T)(length);
  padded.set(values);
  return padded;
}
