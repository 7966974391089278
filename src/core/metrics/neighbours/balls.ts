/**
 * Which rows of each of two sets lie in a ball around some row of the other. The engine computes products in float32
 * and of every few balls only the one that reaches furthest; what these cannot decide, given how far they can be off,
 * is decided in double precision.
 */
import type { EagerExecutor } from '../../backend/eager.js';
import { largest } from '../../backend/ops/search.js';
import { add, constant, matMul, reshape } from '../../backend/ops.js';
import { distance, type Vectors, vectors } from './nearness.js';

export interface Balls extends Vectors {
  count: number;
  /** [count]; a ball holds what lies on it too. */
  radii: Float64Array;
  /** [count], 1 for a row that a ball of the other set was found to hold. */
  held: Uint8Array;
}

/** Balls whose reach is looked at together. */
const GROUP = 32;

/** Views of [count, width], [count] and [count]. */
export function ballsOf(rows: Float32Array, width: number, radii: Float64Array, held: Uint8Array): Balls {
  return { ...vectors(rows, width, 'l2', false), count: held.length, radii, held };
}

/** Sets `held` of both. */
export function findHeld(engine: EagerExecutor, a: Balls, b: Balls): void {
  const [m, n] = [a, b].map(({ count }) => Math.ceil(count / GROUP) * GROUP);
  const [reachA, reachB] = [reach(a, m), reach(b, n)];
  engine.scope(() => {
    const products = matMul(constant(padded(a, m), [m, a.width]), constant(padded(b, n), [n, b.width]), false, true);
    const ofA = largest(reshape(add(products, constant(reachA, [m, 1])), [m / GROUP, GROUP, n]), 1);
    decide(b, a, engine.read(ofA) as Float32Array, { row: 1, group: n }, reachA);
    const ofB = largest(reshape(add(products, constant(reachB, [1, n])), [m, n / GROUP, GROUP]));
    decide(a, b, engine.read(ofB) as Float32Array, { row: n / GROUP, group: 1 }, reachB);
  });
}

/** x is in the ball of radius R around c where c·x + (R² - |c|²) / 2 ≥ |x|² / 2: what is added to the product. */
function reach({ rows, width, count, radii }: Balls, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) =>
    i < count ? (radii[i] ** 2 - squareNorm(rows, width, i)) / 2 : -Infinity,
  );
}

/** `reached` has the largest sum of product and reach for each row and group of balls, in the given strides. */
function decide(
  rows: Balls,
  balls: Balls,
  reached: Float32Array,
  strides: { row: number; group: number },
  reaches: Float32Array,
): void {
  const { width, held, count } = rows;
  const furthest = reaches.reduce((most, value) => (value > -Infinity ? Math.max(most, Math.abs(value)) : most), 0);
  // The bound for sums of `width` products in float32.
  const error = (width + 8) * 2 ** -24 * (rows.largest * balls.largest + furthest);
  for (let i = 0; i < count; i++) {
    if (held[i]) continue;
    const least = squareNorm(rows.rows, width, i) / 2;
    for (let group = 0; group * GROUP < balls.count && !held[i]; group++) {
      const beyond = reached[i * strides.row + group * strides.group] - least;
      if (beyond > error || (!(beyond < -error) && holds(balls, group, rows, i))) held[i] = 1;
    }
  }
}

function holds(balls: Balls, group: number, rows: Balls, i: number): boolean {
  const end = Math.min(balls.count, (group + 1) * GROUP);
  for (let j = group * GROUP; j < end; j++) if (distance('l2', balls, j, rows, i) <= balls.radii[j]) return true;
  return false;
}

function squareNorm(rows: Float32Array, width: number, row: number): number {
  let sum = 0;
  for (let at = row * width; at < (row + 1) * width; at++) sum += rows[at] * rows[at];
  return sum;
}

/** With rows of zeros behind. */
function padded({ rows, width, count }: Balls, size: number): Float32Array {
  if (count === size) return rows;
  const result = new Float32Array(size * width);
  result.set(rows);
  return result;
}
