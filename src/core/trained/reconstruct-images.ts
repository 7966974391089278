/** G(E(x)) for a set of images. */
import type { EagerExecutor } from '../backend/eager.js';
import type { ImageBatch, ImageSet } from '../data/images/image-set.js';
import { openImageSink } from '../data/images/image-sink.js';
import { shrink } from '../data/shrink.js';
import { expected } from '../errors.js';
import type { ReconstructionPair } from '../metrics/reconstruction.js';
import type { InferenceModel } from '../model/inference.js';
import { encoderNoise } from '../model/latents.js';
import { besideReconstructions } from './sheets.js';

export interface ReconstructRequest {
  batchSize: number;
  /** At most this many images, which are held in memory. */
  limit: number;
  /** From a sample of z rather than its mean. */
  sample?: boolean;
  seed: number;
  signal?: AbortSignal;
  onRows?: (done: number) => void;
}

/** Where E takes larger images than G gives, originals are compared at G's size, as D sees them. */
export async function reconstructImages(
  engine: EagerExecutor,
  model: InferenceModel,
  images: Pick<ImageSet, 'count' | 'height' | 'width' | 'channels' | 'classes' | 'batches'>,
  { batchSize, limit, sample, seed, signal, onRows }: ReconstructRequest,
): Promise<ReconstructionPair> {
  checkClasses(model, images);
  const { height, width, channels } = model.output;
  const factor = shrinkFactor(model);
  const total = Math.min(images.count, limit);
  const pixels = height * width * channels;
  const originals = new Uint8Array(total * pixels);
  const reconstructions = new Uint8Array(total * pixels);
  let done = 0;
  for await (const batch of images.batches(batchSize)) {
    signal?.throwIfAborted();
    const count = Math.min(batch.count, total - done);
    const { z_mean: mean, z_std: std } = model.encode(batch.data, batch.count);
    const noise = sample ? encoderNoise(engine, seed, done, batch.count, model.latent) : undefined;
    const z = noise ? mean.map((value, i) => value + noise[i] * std[i]) : mean;
    originals.set(shrink(batch.data, images, factor).subarray(0, count * pixels), done * pixels);
    reconstructions.set(
      model.generate(z, batch.count, labelsFor(model, batch)).subarray(0, count * pixels),
      done * pixels,
    );
    done += count;
    onRows?.(done);
    if (done === total) break;
  }
  return { count: total, height, width, channels, originals, reconstructions };
}

/** Labels number the classes of their own set: in a set of other classes, they would mean others to G. */
function checkClasses({ classes }: InferenceModel, images: Pick<ImageSet, 'classes'>): void {
  if (classes === 1 || images.classes?.length === classes) return;
  const found = images.classes ? `${images.classes.length}` : 'images without labels';
  throw expected(
    `the ${classes} classes on which G is conditioned`,
    'reconstructions',
    found,
    'prepare images of all of them',
  );
}

/** A conditional G is given the images' own labels. */
function labelsFor({ classes }: InferenceModel, { labels }: ImageBatch): Int32Array | undefined {
  if (classes === 1) return undefined;
  const wrong = labels?.find((label) => label < 0 || label >= classes);
  if (wrong !== undefined)
    throw expected(`labels below ${classes}, as the model has classes`, 'reconstructions', `${wrong}`);
  return labels;
}

/** How many times larger E's images are than G's. */
function shrinkFactor({ input, output }: InferenceModel): number {
  const factor = input.height / output.height;
  if (Number.isInteger(factor) && input.channels === output.channels) return factor;
  const [ours, theirs] = [output, input].map(({ height, width, channels }) => `${height}x${width}x${channels}`);
  throw expected(`an encoder of images of ${ours}, or a multiple`, 'reconstructions', `one of ${theirs}`);
}

/** A .png gets the first `count` images in rows above their reconstructions; an .npy all reconstructions. */
export async function saveReconstructions(
  out: string,
  pair: ReconstructionPair,
  { count, columns, force }: { count: number; columns: number; force?: boolean },
): Promise<void> {
  const { height, width, channels, originals, reconstructions } = pair;
  const pixels = height * width * channels;
  const isSheet = /\.png$/i.test(out);
  const shown = Math.min(count, pair.count);
  const perRow = Math.min(columns, shown);
  const sink = await openImageSink(out, {
    count: pair.count,
    height,
    width,
    channels,
    columns: perRow,
    force,
    name: String,
    stdout: () => Promise.reject(new Error('reconstructions are written to files')),
  });
  const first = (images: Uint8Array) => images.subarray(0, shown * pixels);
  const rows = isSheet
    ? besideReconstructions(first(originals), first(reconstructions), pixels, perRow)
    : [reconstructions];
  for (const part of rows) await sink.append(part);
  await sink.close();
}
