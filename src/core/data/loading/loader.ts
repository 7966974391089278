/** Batches for training: the batch of a step depends on the seed and the step alone, so that runs resume exactly. */
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { Dataset } from '../dataset/dataset.js';
import type { Crop } from './crop.js';
import { createDecodePool, type DecodePool, UndecodableError } from './decode-pool.js';
import { batchOrder } from './order.js';

const MEMORY_BYTES = 2 * 2 ** 30;

/** Sets held in memory: read once, however many loaders there are. */
const held = new WeakMap<Dataset, Promise<Uint8Array>>();

/** Batches that are made beforehand. */
const AHEAD = 2;

export interface LoaderOptions {
  batchSize: number;
  /** A whole number of 0 or more. */
  seed: number;
  /**
   * The images' numbers in the batch of a step, asked for when the batch is made; default: all images, in random
   * orders.
   */
  order?: (step: number) => Uint32Array;
  /** How images become squares, default center; see `Crop`. */
  crop?: Crop;
  /** Side of the squares in pixels, default the height of the dataset's images. */
  resolution?: number;
  /** Whether batches carry class numbers. */
  labels?: boolean;
  /** Threads that decode, default one less than there are processors. Results do not depend on it. */
  workers?: number;
  /** Up to this size all images are held in memory where none needs decoding, default 2 GiB. */
  memoryBytes?: number;
}

export interface TrainingBatch {
  /** uint8 [batchSize, resolution, resolution, channels], a fresh array. */
  images: Uint8Array;
  /** int32 [batchSize]; absent if not asked for, or without classes. */
  labels?: Int32Array;
}

export interface Loader {
  /** The batch of step 0, 1, 2, ... Epochs follow each other without a gap, each in an order of its own. */
  batch(step: number): Promise<TrainingBatch>;
  /** The images' numbers in the batch of a step. */
  indices(step: number): Uint32Array;
  /** Ends the decoding threads; does nothing without them. */
  close(): Promise<void>;
}

/**
 * A loader over a dataset. Encoded images, and pixels that are cropped or resized, are made by worker threads; the next
 * two batches are prefetched, and go on being made while the main thread is busy. Other pixels are copied: small sets
 * are read into memory on the first batch, others are prefetched too.
 */
export function createLoader(dataset: Dataset, options: LoaderOptions): Loader {
  const { batchSize, seed, crop = 'center', resolution = dataset.height, memoryBytes = MEMORY_BYTES } = options;
  const { count, height, width, channels } = dataset;
  const asStored = dataset.storage === 'pixels' && crop === 'center';
  const sameSize = options.resolution === undefined || (resolution === height && resolution === width);
  const decoded = !(asStored && sameSize);
  const imageLength = height * width * channels;
  const inMemory = !decoded && count * imageLength <= memoryBytes;
  const indices = options.order ?? batchOrder(count, batchSize, seed);
  const ahead = new Map<number, Promise<TrainingBatch>>();
  let classes: Promise<Int32Array | undefined> | undefined;
  let pool: DecodePool | undefined;
  let closed = false;

  const decode = async (step: number, wanted: Uint32Array) => {
    const { workers = Math.max(1, availableParallelism() - 1) } = options;
    const pixels = dataset.storage === 'pixels' ? { height, width, channels } : undefined;
    const locations = await Promise.all(Array.from(wanted, dataset.locate));
    if (closed) throw new Error('the loader is closed');
    pool ??= createDecodePool(workers, { pixels, crop, resolution, channels, seed });
    try {
      return await pool.decode(step, locations);
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error;
      throw await dataset.undecodable(wanted[error.place], error.message);
    }
  };
  const copy = async (wanted: Uint32Array) => {
    if (!held.has(dataset)) held.set(dataset, dataset.read(0, count));
    const source = await held.get(dataset)!;
    const images = new Uint8Array(wanted.length * imageLength);
    wanted.forEach((index, at) =>
      images.set(source.subarray(index * imageLength, (index + 1) * imageLength), at * imageLength),
    );
    return images;
  };
  const make = async (step: number): Promise<TrainingBatch> => {
    const wanted = indices(step);
    const images = await (decoded ? decode(step, wanted) : inMemory ? copy(wanted) : dataset.gather(wanted));
    if (!options.labels) return { images };
    const known = await (classes ??= dataset.labels());
    return known ? { images, labels: Int32Array.from(wanted, (index) => known[index]) } : { images };
  };
  const batch = async (step: number) => {
    if (inMemory) return make(step);
    const steps = Array.from({ length: AHEAD + 1 }, (_, i) => step + i);
    for (const old of ahead.keys()) if (!steps.includes(old)) ahead.delete(old);
    for (const next of steps) {
      if (ahead.has(next)) continue;
      const made = make(next);
      // A failure of a prefetched batch is reported when that batch is asked for.
      made.catch(() => {});
      ahead.set(next, made);
    }
    const current = ahead.get(step)!;
    // Asked for again, it is made again: the receiver may have changed it.
    ahead.delete(step);
    // The workers get their orders before the main thread is busy again.
    await setImmediate();
    return current;
  };
  const close = async () => {
    closed = true;
    await pool?.close();
  };
  return { batch, indices, close };
}
