/** Endless random batches of rows, epoch after epoch, from a source that may be larger than memory. */
import { integerRandom, permutation } from '../data/random.js';
import type { Rows } from './rows.js';

export interface Batch {
  /** [size, width] */
  data: Float32Array;
  /** Row numbers in the source [size]. */
  rows: Uint32Array;
}

export interface ShuffleSettings {
  batchSize: number;
  seed: number;
  /** Rows to leave out. */
  skip: (row: number) => boolean;
  /** Elements in memory at once, default 2^28 (1 GB). */
  memory?: number;
}

/** Neighbouring rows that are read together when not all fit in memory. */
const BLOCK = 256;

/**
 * All rows are shuffled when they fit in memory. When not, blocks of neighbouring rows are drawn at random until the
 * memory is full, and the rows in it are shuffled. Batches never join two pools, so that each has `batchSize` rows;
 * what a pool leaves over is left out until the next epoch.
 */
export async function* shuffledBatches(source: Rows, settings: ShuffleSettings): AsyncGenerator<Batch, never> {
  const { batchSize, seed, skip, memory = 2 ** 28 } = settings;
  const { width } = source;
  const random = integerRandom(seed, 1);
  const blocks = Math.ceil(source.rows / BLOCK);
  const held = Math.max(Math.floor(memory / width / BLOCK), Math.ceil(batchSize / BLOCK) * 2);
  let pool: Batch | undefined;
  for (;;) {
    const order = permutation(blocks, random);
    for (let first = 0; first < blocks; first += held) {
      if (!pool || held < blocks) pool = await readBlocks(source, order.subarray(first, first + held), skip);
      const mixed = permutation(pool.rows.length, random);
      const size = Math.min(batchSize, mixed.length);
      for (let at = 0; at + size <= mixed.length && size > 0; at += size) {
        yield gather(pool, mixed.subarray(at, at + size), width);
      }
    }
  }
}

async function readBlocks(source: Rows, blocks: Uint32Array, skip: (row: number) => boolean): Promise<Batch> {
  const { width } = source;
  const data = new Float32Array(blocks.length * BLOCK * width);
  const rows = new Uint32Array(blocks.length * BLOCK);
  let filled = 0;
  for (const block of blocks.toSorted()) {
    const first = block * BLOCK;
    const count = Math.min(BLOCK, source.rows - first);
    const read = await source.read(first, count);
    for (let row = 0; row < count; row++) {
      if (skip(first + row)) continue;
      data.set(read.subarray(row * width, (row + 1) * width), filled * width);
      rows[filled++] = first + row;
    }
  }
  return { data: data.subarray(0, filled * width), rows: rows.subarray(0, filled) };
}

function gather({ data, rows }: Batch, picked: Uint32Array, width: number): Batch {
  const result = { data: new Float32Array(picked.length * width), rows: new Uint32Array(picked.length) };
  picked.forEach((row, i) => {
    result.data.set(data.subarray(row * width, (row + 1) * width), i * width);
    result.rows[i] = rows[row];
  });
  return result;
}
