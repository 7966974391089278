/** The Fréchet distance of generated images to real ones, as `fid` takes it between files of both. */
import { setImmediate } from 'node:timers/promises';
import type { Engine } from '../../backend/engine.js';
import type { Channels } from '../../data/pixels.js';
import { withChannels } from '../../data/pixels.js';
import { shrink } from '../../data/shrink.js';
import { expected } from '../../errors.js';
import type { Extractor } from '../../metrics/extractor.js';
import { frechetDistance } from '../../metrics/frechet.js';
import { createMoments, type Statistics } from '../../metrics/statistics.js';
import type { ImageShape, InferenceModel, ModelShapes } from '../../model/inference.js';
import { generateImages } from '../../trained/generate-images.js';
import type { EvaluatedImages } from './evaluated-images.js';

/** @throws UserError if the network takes other images than G makes */
export function checkExtractor({ label, image }: Extractor, { output }: Pick<ModelShapes, 'output'>): void {
  const { height = output.height, width = output.width } = image;
  if (height === output.height && width === output.width) return;
  throw expected(
    `a network of images of ${output.width} x ${output.height}, as G makes them`,
    '--eval-extractor',
    `${label} of ${width} x ${height}`,
  );
}

export interface DistanceSettings {
  images: EvaluatedImages;
  extractor: Extractor;
  batchSize: number;
}

/** Asked between batches, of which there may be minutes' worth: true ends the work without a result. */
export type Stopped = () => boolean;

/**
 * A function that compares the images with as many of G's, of the seeds 0, 1, … The real ones are seen at G's size, and
 * only at the first call.
 */
export function createDistance(engine: Engine, { images, extractor, batchSize }: DistanceSettings) {
  let real: Statistics | undefined;
  const seeds = Array.from({ length: images.count }, (_, i) => i);
  return async (model: InferenceModel, stopped: Stopped): Promise<number | undefined> => {
    const factor = images.height / model.output.height;
    real ??= await statistics(engine, extractor, model.output, shrunk(images, factor, batchSize), stopped);
    const fake =
      real &&
      (await statistics(engine, extractor, model.output, generateImages(engine, model, { seeds, batchSize }), stopped));
    return real && fake && frechetDistance(engine, real, fake);
  };
}

async function* shrunk(images: EvaluatedImages, factor: number, batchSize: number): AsyncGenerator<Uint8Array> {
  for await (const { data } of images.batches(batchSize)) yield shrink(data, images, factor);
}

async function statistics(
  engine: Engine,
  extractor: Extractor,
  { height, width, channels }: ImageShape,
  batches: AsyncIterable<Uint8Array>,
  stopped: Stopped,
): Promise<Statistics | undefined> {
  const taken = (extractor.image.channels ?? channels) as Channels;
  const moments = createMoments(engine, extractor.width);
  for await (const batch of batches) {
    const count = batch.length / (height * width * channels);
    const { data } = withChannels(
      { data: batch, height: height * count, width, channels: channels as Channels },
      taken,
    );
    moments.add(extractor.extract(data, [count, height, width, taken]).features, count);
    await setImmediate();
    if (stopped()) return undefined;
  }
  return moments.result();
}
