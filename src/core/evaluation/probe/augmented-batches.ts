/**
 * Batches of features of freshly cropped images, for a classifier that trains on them: BigBiGAN's linear probe
 * (appendix A).
 */

import type { Dataset } from '../../data/dataset/dataset.js';
import type { Crop } from '../../data/loading/crop.js';
import { createLoader } from '../../data/loading/loader.js';
import { mirrorAtRandom } from '../../data/loading/mirror.js';
import { type Channels, withChannels } from '../../data/pixels.js';
import { type OrderSettings, type ProbeBatch, shuffledRows } from '../../metrics/probe/shuffled.js';
import type { EncodedBatch, ImageShape, InferenceModel } from '../../model/inference.js';

/** What E is asked for, a row for each image. */
export type EncodedFeature = keyof EncodedBatch;

export interface AugmentedSource {
  dataset: Dataset;
  model: Pick<InferenceModel, 'input' | 'encode' | 'widths'>;
  encoding: EncodedFeature;
  crop: Crop;
  /** Mirror each image with probability 1/2. */
  flip: boolean;
  /** The most images that go through E in one call: see `partSize`. */
  atOnce: number;
  /** Threads that decode; results do not depend on it. */
  workers?: number;
}

/**
 * Endless batches in the order that the rows of the images' features have, as long as those fit in memory, each of its
 * images cropped and mirrored anew and encoded once. Crops, mirroring and order are by the seed alone. E is as in
 * inference: its batch norm has standing statistics.
 */
export async function* augmentedBatches(source: AugmentedSource, settings: OrderSettings): AsyncGenerator<ProbeBatch> {
  const { dataset, model, crop, flip, workers } = source;
  const { batchSize, seed } = settings;
  const order = shuffledRows(dataset.count, settings);
  // Batches are made beforehand, in their order.
  const ordered: Uint32Array[] = [];
  const next = () => {
    const rows = order.next().value;
    ordered.push(rows);
    return rows;
  };
  const loader = createLoader(dataset, { batchSize, seed, order: next, crop, resolution: model.input.height, workers });
  try {
    for (let step = 0; ; step++) {
      const { images } = await loader.batch(step);
      const rows = ordered.shift()!;
      const seen = forModel(images, dataset.channels, model.input);
      if (flip) mirrorAtRandom(seen, model.input, seed, step);
      yield { data: encodeAll(source, seen, rows.length), rows };
    }
  } finally {
    await loader.close();
  }
}

/** Grey or in colour, as E takes them. */
function forModel(data: Uint8Array, channels: Channels, { width, channels: wanted }: ImageShape): Uint8Array {
  return withChannels({ data, width, height: data.length / (width * channels), channels }, wanted as Channels).data;
}

/** Features [count, width], part by part. */
function encodeAll({ model, encoding, atOnce }: AugmentedSource, images: Uint8Array, count: number): Float32Array {
  const imageLength = images.length / count;
  const width = model.widths[encoding];
  const result = new Float32Array(count * width);
  for (let first = 0; first < count; first += atOnce) {
    const size = Math.min(atOnce, count - first);
    const encoded = model.encode(images.subarray(first * imageLength, (first + size) * imageLength), size);
    result.set(encoded[encoding], first * width);
  }
  return result;
}

/** Images of a part, whose features take memory for each of E's layers. */
const LARGEST_PART = 200;

/** Images of a batch's parts: equal, since each is padded to the size that E is recorded for. */
export function partSize(batchSize: number): number {
  return Math.ceil(batchSize / Math.ceil(batchSize / LARGEST_PART));
}
