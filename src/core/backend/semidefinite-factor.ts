/** Cholesky factors of symmetric positive semidefinite matrices of any rank, in double precision. */
import type { EagerExecutor } from './eager.js';
import { matMul64 } from './float64.js';

export interface Factor {
  /** [rank, n] */
  rows: Float64Array;
  rank: number;
}

/** Rows found before the rest of the matrix is brought up to date by one product. */
const BLOCK = 256;

/**
 * F [rank, n] with Fᵀ·F = S for a matrix S [n, n]: Cholesky with diagonal pivoting (Higham 1990), which stops where
 * what is left is rounding. The largest pivots come first, so that no direction of S is lost but those that carry no
 * digits.
 */
export function semidefiniteFactor(engine: EagerExecutor, matrix: Float64Array, n: number): Factor {
  let left = Int32Array.from({ length: n }, (_, i) => i);
  let rest = matrix;
  const smallest = n * Number.EPSILON * largest(diagonal(matrix, n));
  const found = new Float64Array(n * n);
  let rank = 0;
  while (left.length > 0) {
    const m = left.length;
    const block = factorBlock(rest, m, smallest);
    for (const row of block.rows) {
      left.forEach((column, i) => (found[rank * n + column] = row[i]));
      rank++;
    }
    if (block.rows.length < Math.min(BLOCK, m)) break;
    const kept = Int32Array.from(left.keys()).filter((i) => !block.done[i]);
    rest = reduced(engine, rest, m, block.rows, kept);
    left = kept.map((i) => left[i]);
  }
  return { rows: found.slice(0, rank * n), rank };
}

/** Up to BLOCK rows of the factor of `rest` [m, m], and which of its indices they used up. */
function factorBlock(rest: Float64Array, m: number, smallest: number) {
  const rows: Float64Array[] = [];
  const done = new Uint8Array(m);
  const pivots = diagonal(rest, m);
  while (rows.length < Math.min(BLOCK, m)) {
    const p = indexOfLargest(pivots);
    if (!(pivots[p] > smallest)) break;
    const row = rest.slice(p * m, (p + 1) * m);
    for (const earlier of rows) {
      const factor = earlier[p];
      for (let j = 0; j < m; j++) row[j] -= factor * earlier[j];
    }
    const root = Math.sqrt(pivots[p]);
    for (let j = 0; j < m; j++) {
      row[j] = done[j] ? 0 : row[j] / root;
      pivots[j] -= row[j] * row[j];
    }
    row[p] = root;
    done[p] = 1;
    pivots[p] = -Infinity;
    rows.push(row);
  }
  return { rows, done };
}

/** `rest` less what the rows explain, for the indices kept. */
function reduced(
  engine: EagerExecutor,
  rest: Float64Array,
  m: number,
  rows: Float64Array[],
  kept: Int32Array,
): Float64Array {
  const size = kept.length;
  const columns = new Float64Array(rows.length * size);
  rows.forEach((row, k) => kept.forEach((from, i) => (columns[k * size + i] = row[from])));
  const explained = matMul64(engine, columns, columns, [size, rows.length, size], { transposeA: true });
  for (let i = 0, at = 0; i < size; i++) {
    const start = kept[i] * m;
    for (let j = 0; j < size; j++, at++) explained[at] = rest[start + kept[j]] - explained[at];
  }
  return explained;
}

function diagonal(matrix: Float64Array, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]);
}

function indexOfLargest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

function largest(values: Float64Array): number {
  return values.length === 0 ? 0 : values[indexOfLargest(values)];
}
