/** Endless random batches of rows, epoch after epoch, from a source that may be larger than memory. */
import { integerRandom, permutation } from '../../data/random.js';
import type { Rows } from '../rows.js';

export interface ProbeBatch {
  /** [size, width] */
  data: Float32Array;
  /** Row numbers in the source [size]. */
  rows: Uint32Array;
}

export interface OrderSettings {
  batchSize: number;
  seed: number;
  /** Rows to leave out. */
  skip: (row: number) => boolean;
}

export interface ShuffleSettings extends OrderSettings {
  /** Elements in memory at once, default `POOL`. */
  memory?: number;
}

/** 512 MB of float32. */
export const POOL = 2 ** 27;

/** Neighbouring rows that are read together: few, since files are often sorted by class. */
const BLOCK = 32;

/**
 * All rows are shuffled when they fit in memory. When not, blocks of neighbouring rows are drawn at random until the
 * memory is full, and the rows in it are shuffled. Batches never join two pools, so that each has `batchSize` rows;
 * what a pool leaves over is left out until the next epoch.
 */
export async function* shuffledBatches(
  source: Rows,
  { memory = POOL, ...settings }: ShuffleSettings,
): AsyncGenerator<ProbeBatch, never> {
  const { width, rows: count } = source;
  const held = Math.max(Math.floor(memory / width / BLOCK), Math.ceil(settings.batchSize / BLOCK) * 2);
  const buffer = new Float32Array(Math.min(held, Math.ceil(count / BLOCK)) * BLOCK * width);
  const order = poolOrder(count, settings, held);
  let read: Pool | undefined;
  for (;;) {
    const { pool, places } = order.next().value;
    if (pool !== read) await readPool(source, pool, buffer);
    read = pool;
    yield { data: gather(buffer, places, width), rows: places.map((place) => pool.rows[place]) };
  }
}

/** The row numbers alone of the batches that `shuffledBatches` gives where all `count` rows fit in memory. */
export function* shuffledRows(count: number, settings: OrderSettings): Generator<Uint32Array, never> {
  const order = poolOrder(count, settings, Infinity);
  for (;;) {
    const { pool, places } = order.next().value;
    yield places.map((place) => pool.rows[place]);
  }
}

/** Rows that are shuffled together. */
interface Pool {
  /** Ascending. */
  blocks: Uint32Array;
  /** Of these blocks, without those that are left out. */
  rows: Uint32Array;
}

/** All that is left to chance: pools of up to `held` blocks, and batches as places in a pool. */
function* poolOrder(
  count: number,
  { batchSize, seed, skip }: OrderSettings,
  held: number,
): Generator<{ pool: Pool; places: Uint32Array }, never> {
  const random = integerRandom(seed, 1);
  const number = Math.ceil(count / BLOCK);
  let pool: Pool | undefined;
  for (;;) {
    const order = permutation(number, random);
    for (let first = 0; first < number; first += held) {
      if (!pool || held < number) pool = poolOf(order.subarray(first, first + held).toSorted(), count, skip);
      const mixed = permutation(pool.rows.length, random);
      const size = Math.min(batchSize, mixed.length);
      for (let at = 0; at + size <= mixed.length && size > 0; at += size)
        yield { pool, places: mixed.subarray(at, at + size) };
    }
  }
}

function poolOf(blocks: Uint32Array, count: number, skip: (row: number) => boolean): Pool {
  const rows = new Uint32Array(blocks.length * BLOCK);
  let filled = 0;
  for (const block of blocks) {
    for (let row = block * BLOCK; row < Math.min(count, (block + 1) * BLOCK); row++)
      if (!skip(row)) rows[filled++] = row;
  }
  return { blocks, rows: rows.subarray(0, filled) };
}

/** Blocks that are read at once. */
const READS = 16;

/** Fills `data` with the rows of a pool, in their order. */
async function readPool(source: Rows, { blocks, rows }: Pool, data: Float32Array): Promise<void> {
  const { width } = source;
  let filled = 0;
  for (let at = 0; at < blocks.length; at += READS) {
    const firsts = Array.from(blocks.subarray(at, at + READS), (block) => block * BLOCK);
    const pieces = await Promise.all(firsts.map((first) => source.read(first, Math.min(BLOCK, source.rows - first))));
    pieces.forEach((piece, i) => {
      for (; filled < rows.length && rows[filled] < firsts[i] + BLOCK; filled++) {
        const row = rows[filled] - firsts[i];
        data.set(piece.subarray(row * width, (row + 1) * width), filled * width);
      }
    });
  }
}

function gather(data: Float32Array, places: Uint32Array, width: number): Float32Array {
  const result = new Float32Array(places.length * width);
  places.forEach((place, i) => result.set(data.subarray(place * width, (place + 1) * width), i * width));
  return result;
}
