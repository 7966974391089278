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
  /** Elements in memory at once, default 2^27 (512 MB). */
  memory?: number;
}

/** Neighbouring rows that are read together: few, since files are often sorted by class. */
const BLOCK = 32;

/**
 * All rows are shuffled when they fit in memory. When not, blocks of neighbouring rows are drawn at random until the
 * memory is full, and the rows in it are shuffled. Batches never join two pools, so that each has `batchSize` rows;
 * what a pool leaves over is left out until the next epoch.
 */
export async function* shuffledBatches(source: Rows, settings: ShuffleSettings): AsyncGenerator<Batch, never> {
  const { batchSize, seed, skip, memory = 2 ** 27 } = settings;
  const { width } = source;
  const random = integerRandom(seed, 1);
  const blocks = Math.ceil(source.rows / BLOCK);
  const held = Math.max(Math.floor(memory / width / BLOCK), Math.ceil(batchSize / BLOCK) * 2);
  const buffer = new Float32Array(Math.min(held, blocks) * BLOCK * width);
  let pool: Batch | undefined;
  for (;;) {
    const order = permutation(blocks, random);
    for (let first = 0; first < blocks; first += held) {
      if (!pool || held < blocks) pool = await readBlocks(source, order.subarray(first, first + held), skip, buffer);
      const mixed = permutation(pool.rows.length, random);
      const size = Math.min(batchSize, mixed.length);
      for (let at = 0; at + size <= mixed.length && size > 0; at += size) {
        yield gather(pool, mixed.subarray(at, at + size), width);
      }
    }
  }
}

/** Blocks that are read at once. */
const READS = 16;

/** Fills `data`, which takes all rows of the blocks; gives the part of it that is used. */
async function readBlocks(source: Rows, blocks: Uint32Array, skip: (row: number) => boolean, data: Float32Array): Promise<Batch> {
  const { width } = source;
  const rows = new Uint32Array(blocks.length * BLOCK);
  const sorted = blocks.toSorted();
  let filled = 0;
  for (let at = 0; at < sorted.length; at += READS) {
    const firsts = Array.from(sorted.subarray(at, at + READS), (block) => block * BLOCK);
    const pieces = await Promise.all(firsts.map((first) => source.read(first, Math.min(BLOCK, source.rows - first))));
    pieces.forEach((piece, i) => {
      for (let row = 0; row < piece.length / width; row++) {
        if (skip(firsts[i] + row)) continue;
        data.set(piece.subarray(row * width, (row + 1) * width), filled * width);
        rows[filled++] = firsts[i] + row;
      }
    });
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
