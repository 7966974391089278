/** Improved precision and recall (Kynkäänniemi et al. 2019): which images lie on the manifold of the other set. */
import type { EagerExecutor } from '../../backend/eager.js';
import { expected } from '../../errors.js';
import { chunks, type Rows } from '../rows.js';
import { ballsOf, findHeld } from './balls.js';
import { createNeighbourSearch } from './neighbours.js';

export interface PrecisionRecall {
  /** Fraction of fake images that lie no further from some real image than that one's k-th neighbour among the real. */
  precision: number;
  /** The same with the sets exchanged. */
  recall: number;
}

/** Rows of each set that are compared at once: 64 MB of products. */
const BLOCK = 4096;
/** Rows whose neighbours are looked for in one pass over their set. */
const QUERIES = 8192;

/**
 * Exact: what all distances in double precision give. A row is no neighbour of itself, but its double is one at
 * distance 0. Progress is reported in hundredths.
 */
export async function precisionRecall(
  engine: EagerExecutor,
  real: Rows,
  fake: Rows,
  k: number,
  onProgress?: (done: number, total: number) => void,
): Promise<PrecisionRecall> {
  checkNeighbours(Math.min(real.rows, fake.rows), k);
  const total = real.rows ** 2 + fake.rows ** 2 + real.rows * fake.rows;
  let done = 0;
  const compared = (pairs: number) => onProgress?.(Math.floor((100 * (done += pairs)) / total), 100);
  const sets = [];
  for (const rows of [real, fake])
    sets.push({ rows, radii: await radii(engine, rows, k, compared), held: new Uint8Array(rows.rows) });
  const [ofReal, ofFake] = sets;
  for await (const a of blocks(ofReal)) {
    for await (const b of blocks(ofFake)) {
      findHeld(engine, a, b);
      compared(a.count * b.count);
    }
  }
  const fraction = ({ held }: Manifold) => held.reduce((sum, flag) => sum + flag, 0) / held.length;
  return { precision: fraction(ofFake), recall: fraction(ofReal) };
}

export function checkNeighbours(rows: number, k: number, name = 'a set'): void {
  if (rows <= k)
    throw expected(`more than the ${k} rows that are neighbours`, `precision and recall of ${name}`, `${rows}`);
}

/** For each row the distance of its k-th neighbour in the same set. */
async function radii(
  engine: EagerExecutor,
  source: Rows,
  k: number,
  compared: (pairs: number) => void,
): Promise<Float64Array> {
  const result = new Float64Array(source.rows);
  for await (const { first, count, data } of chunks(source, QUERIES * source.width)) {
    // The nearest of all is the row itself.
    const search = createNeighbourSearch(engine, {
      queries: data,
      width: source.width,
      k: k + 1,
      metric: 'l2',
      normalise: false,
    });
    for await (const base of chunks(source)) {
      search.add(base.data, base.count);
      compared(count * base.count);
    }
    const distances = search.distances();
    for (let i = 0; i < count; i++) result[first + i] = distances[i * (k + 1) + k];
    search.dispose();
  }
  return result;
}

interface Manifold {
  rows: Rows;
  radii: Float64Array;
  held: Uint8Array;
}

async function* blocks({ rows, radii, held }: Manifold) {
  for await (const { first, count, data } of chunks(rows, BLOCK * rows.width)) {
    yield ballsOf(data, rows.width, radii.subarray(first, first + count), held.subarray(first, first + count));
  }
}
