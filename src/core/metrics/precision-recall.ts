/** Improved precision and recall (Kynkäänniemi et al. 2019): which images lie on the manifold of the other set. */
import type { EagerExecutor } from '../backend/eager.js';
import { expected } from '../errors.js';
import { matMul64 } from '../backend/float64.js';
import type { Rows } from './rows.js';

export interface PrecisionRecall {
  /** Fraction of fake images that lie no further from some real image than that one's k-th neighbour among the real. */
  precision: number;
  /** The same with the sets exchanged. */
  recall: number;
}

/** Rows compared with as many at once: 32 MB of distances. */
const BLOCK = 2048;
/** A squared distance smaller than this part of both squared norms is rounding: the rows are the same. */
const ROUNDING = 1e-13;

/** Exact: all distances, in double precision. A row is no neighbour of itself, but its double is one at distance 0. */
export async function precisionRecall(
  engine: EagerExecutor,
  real: Rows,
  fake: Rows,
  k: number,
  onBlock?: (done: number, total: number) => void,
): Promise<PrecisionRecall> {
  checkNeighbours(Math.min(real.rows, fake.rows), k);
  const [r, f] = [real, fake].map(({ rows }) => Math.ceil(rows / BLOCK));
  const total = (r * (r + 1)) / 2 + (f * (f + 1)) / 2 + r * f;
  let done = 0;
  const blockDone = () => onBlock?.(++done, total);
  const realRadii = await squaredRadii(engine, real, k, blockDone);
  const fakeRadii = await squaredRadii(engine, fake, k, blockDone);
  const inReal = new Uint8Array(fake.rows);
  const inFake = new Uint8Array(real.rows);
  for await (const a of blocks(real)) {
    for await (const b of blocks(fake)) {
      const distances = squaredDistances(engine, a, b);
      for (let i = 0, at = 0; i < a.count; i++) {
        const radius = realRadii[a.first + i];
        for (let j = 0; j < b.count; j++, at++) {
          if (distances[at] <= radius) inReal[b.first + j] = 1;
          if (distances[at] <= fakeRadii[b.first + j]) inFake[a.first + i] = 1;
        }
      }
      blockDone();
    }
  }
  const fraction = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
  return { precision: fraction(inReal), recall: fraction(inFake) };
}

export function checkNeighbours(rows: number, k: number, name = 'a set'): void {
  if (rows <= k) throw expected(`more than the ${k} rows that are neighbours`, `precision and recall of ${name}`, `${rows}`);
}

/** For each row the squared distance of its k-th neighbour in the same set. */
async function squaredRadii(engine: EagerExecutor, source: Rows, k: number, blockDone: () => void): Promise<Float64Array> {
  const { rows } = source;
  // The k smallest so far of each row, ascending.
  const nearest = new Float64Array(rows * k).fill(Infinity);
  const take = (row: number, distance: number) => {
    let at = row * k + k - 1;
    if (!(distance < nearest[at])) return;
    for (; at > row * k && nearest[at - 1] > distance; at--) nearest[at] = nearest[at - 1];
    nearest[at] = distance;
  };
  for await (const a of blocks(source)) {
    for await (const b of blocks(source, a.first)) {
      const distances = squaredDistances(engine, a, b);
      const same = a.first === b.first;
      for (let i = 0; i < a.count; i++) {
        for (let j = same ? i + 1 : 0; j < b.count; j++) {
          take(a.first + i, distances[i * b.count + j]);
          take(b.first + j, distances[i * b.count + j]);
        }
      }
      blockDone();
    }
  }
  return Float64Array.from({ length: rows }, (_, row) => nearest[row * k + k - 1]);
}

interface Block {
  first: number;
  count: number;
  width: number;
  /** [count, width] */
  rows: Float64Array;
  /** [count] */
  squaredNorms: Float64Array;
}

async function* blocks({ rows: total, width, read }: Rows, start = 0): AsyncGenerator<Block> {
  for (let first = start; first < total; first += BLOCK) {
    const count = Math.min(BLOCK, total - first);
    const rows = Float64Array.from(await read(first, count));
    const squaredNorms = new Float64Array(count);
    for (let i = 0, at = 0; i < count; i++) for (let j = 0; j < width; j++, at++) squaredNorms[i] += rows[at] * rows[at];
    yield { first, count, width, rows, squaredNorms };
  }
}

/** |a - b|² for all pairs [a.count, b.count]. */
function squaredDistances(engine: EagerExecutor, a: Block, b: Block): Float64Array {
  const products = matMul64(engine, a.rows, b.rows, [a.count, a.width, b.count], { transposeB: true });
  for (let i = 0, at = 0; i < a.count; i++) {
    for (let j = 0; j < b.count; j++, at++) {
      const norms = a.squaredNorms[i] + b.squaredNorms[j];
      const squared = norms - 2 * products[at];
      products[at] = squared > norms * ROUNDING ? squared : 0;
    }
  }
  return products;
}
