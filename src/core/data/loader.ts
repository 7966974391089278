/** Batches for training: the batch of a step depends on the seed and the step alone, so that runs resume exactly. */
import type { Dataset } from './dataset.js';
import { integerRandom, permutation } from './random.js';

const MEMORY_BYTES = 2 * 2 ** 30;

export interface LoaderOptions {
  batchSize: number;
  /** A whole number of 0 or more. */
  seed: number;
  /** Up to this size all images are held in memory, default 2 GiB. */
  memoryBytes?: number;
}

export interface Batch {
  /** uint8 [batchSize, height, width, channels], a fresh array. */
  images: Uint8Array;
}

export interface Loader {
  /** The batch of step 0, 1, 2, ... Epochs follow each other without a gap, each in an order of its own. */
  batch(step: number): Promise<Batch>;
  /** The images' numbers in the batch of a step. */
  indices(step: number): Uint32Array;
}

/** A loader over a dataset; small sets are read into memory on the first batch, of others the next batch is prefetched. */
export function createLoader(dataset: Dataset, options: LoaderOptions): Loader {
  const { batchSize, seed, memoryBytes = MEMORY_BYTES } = options;
  const { count, height, width, channels } = dataset;
  const imageLength = height * width * channels;
  const inMemory = count * imageLength <= memoryBytes;
  const orders = new Map<number, Uint32Array>();
  let all: Promise<Uint8Array> | undefined;
  let ahead: { step: number; batch: Promise<Batch> } | undefined;

  const order = (epoch: number) => {
    let found = orders.get(epoch);
    if (!found) {
      found = permutation(count, integerRandom(seed, epoch));
      // A batch touches the end of one epoch and the start of the next; older orders are not needed again.
      if (orders.size >= 4) orders.delete(orders.keys().next().value!);
      orders.set(epoch, found);
    }
    return found;
  };
  const indices = (step: number) =>
    Uint32Array.from({ length: batchSize }, (_, i) => {
      const position = step * batchSize + i;
      return order(Math.floor(position / count))[position % count];
    });
  const pick = async (wanted: Uint32Array) => {
    if (!inMemory) return dataset.gather(wanted);
    all ??= dataset.read(0, count);
    const source = await all;
    const images = new Uint8Array(wanted.length * imageLength);
    wanted.forEach((index, at) => images.set(source.subarray(index * imageLength, (index + 1) * imageLength), at * imageLength));
    return images;
  };
  const make = async (step: number): Promise<Batch> => ({ images: await pick(indices(step)) });
  const batch = async (step: number) => {
    if (inMemory) return make(step);
    const current = ahead?.step === step ? ahead.batch : make(step);
    const next = { step: step + 1, batch: make(step + 1) };
    // A failure of the prefetched batch is reported when that batch is asked for.
    next.batch.catch(() => {});
    ahead = next;
    return current;
  };
  return { batch, indices };
}
