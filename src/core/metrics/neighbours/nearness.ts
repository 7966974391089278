/**
 * How near feature vectors are to each other: exactly for a pair, and on the engine for many, as keys that grow with
 * nearness.
 */
import type { EagerExecutor } from '../../backend/eager.js';
import { abs, add, concat, constant, matMul, mul, neg, reshape, splitSizes, sub, sum } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import { type Four, fours, products, squareDifferences, squareSums } from './four-rows.js';

/**
 * On vectors scaled to norm 1, `l1` and `l2` are the distances D_1 and D_2 of BigBiGAN's appendix C; `cosine` is one
 * minus the cosine similarity, which is half of D_2 squared.
 */
export const METRICS = ['l1', 'l2', 'cosine'] as const;
export type NeighbourMetric = (typeof METRICS)[number];

/** Rows [n, width] as they are, and what each is multiplied with before it is compared. */
export interface Vectors {
  rows: Float32Array;
  width: number;
  /** One over the norm, or 1 where vectors are compared as they are; 0 for a row of zeros. */
  factors: Float64Array;
  /** Norms after scaling: Σ|x| for l1, else √Σx². */
  norms: Float64Array;
  /** The largest of them. */
  largest: number;
}

export function vectors(rows: Float32Array, width: number, metric: NeighbourMetric, normalise: boolean): Vectors {
  const unscaled = metric === 'l1' ? absoluteSums(rows, width) : squareSums(rows, width).map(Math.sqrt);
  const factors = unscaled.map((norm) => (normalise ? (norm > 0 ? 1 / norm : 0) : 1));
  const norms = unscaled.map((norm, row) => norm * factors[row]);
  return { rows, width, factors, norms, largest: norms.reduce((most, norm) => Math.max(most, norm), 0) };
}

/** Rows `first` to `end` (exclusive) of the same; `largest` stays that of all. */
export function part({ rows, width, factors, norms, largest }: Vectors, first: number, end: number): Vectors {
  return {
    rows: rows.subarray(first * width, end * width),
    width,
    factors: factors.subarray(first, end),
    norms: norms.subarray(first, end),
    largest,
  };
}

function absoluteSums(rows: Float32Array, width: number): Float64Array {
  const sums = new Float64Array(rows.length / width);
  for (let row = 0, at = 0; row < sums.length; row++) {
    let sum = 0;
    for (const end = at + width; at < end; at++) sum += Math.abs(rows[at]);
    sums[row] = sum;
  }
  return sums;
}

/** The distance of row i of `a` and row j of `b`, in double precision. */
export function distance(metric: NeighbourMetric, a: Vectors, i: number, b: Vectors, j: number): number {
  const { width } = a;
  const [x, y] = [a.rows, b.rows];
  const [f, g] = [a.factors[i], b.factors[j]];
  let total = 0;
  const end = (i + 1) * width;
  if (metric === 'cosine') {
    for (let p = i * width, q = j * width; p < end; p++, q++) total += x[p] * y[q];
    return 1 - total * f * g;
  }
  if (metric === 'l1') {
    for (let p = i * width, q = j * width; p < end; p++, q++) total += Math.abs(x[p] * f - y[q] * g);
    return total;
  }
  for (let p = i * width, q = j * width; p < end; p++, q++) {
    const difference = x[p] * f - y[q] * g;
    total += difference * difference;
  }
  return Math.sqrt(total);
}

/** The same from several rows of `b`. */
export function distances(metric: NeighbourMetric, a: Vectors, i: number, b: Vectors, rows: Int32Array): Float64Array {
  const { width } = a;
  const [f, g] = [a.factors[i], b.factors];
  if (metric === 'l1') return Float64Array.from(rows, (j) => distance(metric, a, i, b, j));
  const x = Float64Array.from(a.rows.subarray(i * width, (i + 1) * width));
  const result = new Float64Array(rows.length);
  if (metric === 'l2') for (let p = 0; p < width; p++) x[p] *= f;
  for (const four of fours(rows.length)) {
    const [j, k, l, m] = [rows[four[0]], rows[four[1]], rows[four[2]], rows[four[3]]];
    const at: Four = [j * width, k * width, l * width, m * width];
    if (metric === 'cosine') {
      const sums = products(x, b.rows, at);
      [j, k, l, m].forEach((row, n) => (result[four[n]] = 1 - sums[n] * f * g[row]));
    } else {
      const sums = squareDifferences(x, b.rows, at, [g[j], g[k], g[l], g[m]]);
      four.forEach((to, n) => (result[to] = Math.sqrt(sums[n])));
    }
  }
  return result;
}

/** What l2's keys are counted from: |b|² where vectors are normalised. */
const origin = (normalise: boolean) => (normalise ? 1 : 0);

/** The key that belongs to a distance from a query of a norm. */
export function keyOf(metric: NeighbourMetric, distance: number, queryNorm: number, normalise: boolean): number {
  if (metric === 'cosine') return 1 - distance;
  return metric === 'l1' ? -distance : (queryNorm * queryNorm + origin(normalise) - distance * distance) / 2;
}

/** How far the engine's keys may be from the true ones: the bound for sums of `width` products in float32. */
export function keyError(metric: NeighbourMetric, queries: Vectors, base: Vectors): number {
  const roundings = (queries.width + 8) * 2 ** -24;
  const unit = roundings / (1 - roundings);
  const [q, b] = [queries.largest, base.largest];
  return unit * (metric === 'l1' ? q + b : q * b + (b * b) / 2);
}

/**
 * Keys [m, n] of scaled queries [m, width] and the rows of a base: -Σ|q - b|, q·b, or for l2 q·b - |b|²/2, which is
 * (|q|² - |q - b|²)/2. Normalised, it is q·b + (1 - |b|²)/2, where the last term is 0 except for a row of zeros.
 */
export function nearness(
  engine: EagerExecutor,
  base: Vectors,
  metric: NeighbourMetric,
  normalise: boolean,
): (queries: Tensor) => Tensor {
  const rows = scaled(base, normalise);
  if (metric === 'l1') return manhattan(engine, rows);
  const product = (queries: Tensor) => matMul(queries, rows, false, true);
  const terms = Float32Array.from(base.norms, (norm) => (origin(normalise) - norm * norm) / 2);
  if (metric === 'cosine' || terms.every((term) => Math.abs(term) < 2 ** -40)) return product;
  const added = constant(terms, [1, terms.length]);
  return (queries) => add(product(queries), added);
}

/** Rows [count, width] on the engine, scaled. */
export function scaled({ rows, width, factors }: Vectors, normalise: boolean): Tensor {
  const tensor = constant(rows, [factors.length, width]);
  return normalise ? mul(tensor, constant(Float32Array.from(factors), [factors.length, 1])) : tensor;
}

/** Differences held at once, few enough for the processor's cache. */
const TILE = 1 << 20;
const TILE_QUERIES = 8;

/** -Σ|q - b|: no product of matrices helps here, so every difference is taken, tile by tile. */
function manhattan(engine: EagerExecutor, base: Tensor): (queries: Tensor) => Tensor {
  const [n, width] = base.shape;
  const tiles = splitSizes(base, pieces(n, Math.max(1, Math.floor(TILE / TILE_QUERIES / width))), 0);
  const distances = (group: Tensor, tile: Tensor) => {
    const [m, t] = [group.shape[0], tile.shape[0]];
    return engine.scope(() => sum(abs(sub(reshape(group, [m, 1, width]), reshape(tile, [1, t, width]))), [2]));
  };
  return (queries) => {
    const groups = splitSizes(queries, pieces(queries.shape[0], TILE_QUERIES), 0);
    const rows = groups.map((group) =>
      concat(
        tiles.map((tile) => distances(group, tile)),
        1,
      ),
    );
    return neg(concat(rows, 0));
  };
}

/** `total` in parts of `size`, the last one shorter. */
function pieces(total: number, size: number): number[] {
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => Math.min(size, total - i * size));
}
