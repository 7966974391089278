/** How near feature vectors are to each other: exactly for a pair, and on the engine for many, as keys that grow with nearness. */
import type { EagerExecutor } from '../backend/eager.js';
import { abs, concat, constant, matMul, mul, neg, reshape, scale, splitSizes, sub, sum } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';

/**
 * On vectors scaled to norm 1, `l1` and `l2` are the distances D_1 and D_2 of BigBiGAN's appendix C; `cosine` is one
 * minus the cosine similarity, which is half of D_2 squared.
 */
export type Metric = 'l1' | 'l2' | 'cosine';

/** Rows [n, width] as they are, and what each is multiplied with before it is compared. */
export interface Vectors {
  rows: Float32Array;
  width: number;
  /** One over the norm, or 1 where vectors are compared as they are; 0 for a row of zeros. */
  factors: Float64Array;
  /** The largest norm after scaling: Σ|x| for l1, else √Σx². */
  largest: number;
}

export function vectors(rows: Float32Array, width: number, metric: Metric, normalise: boolean): Vectors {
  const factors = new Float64Array(rows.length / width);
  let largest = 0;
  for (let row = 0, at = 0; row < factors.length; row++) {
    let norm = 0;
    const end = at + width;
    if (metric === 'l1') for (; at < end; at++) norm += Math.abs(rows[at]);
    else for (; at < end; at++) norm += rows[at] * rows[at];
    if (metric !== 'l1') norm = Math.sqrt(norm);
    factors[row] = normalise ? (norm > 0 ? 1 / norm : 0) : 1;
    largest = Math.max(largest, normalise ? Math.min(norm, 1) : norm);
  }
  return { rows, width, factors, largest };
}

/** The distance of row i of `a` and row j of `b`, in double precision. */
export function distance(metric: Metric, a: Vectors, i: number, b: Vectors, j: number): number {
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

/** The key that belongs to a distance from a query of a norm. */
export function keyOf(metric: Metric, distance: number, queryNorm: number): number {
  if (metric === 'cosine') return 1 - distance;
  return metric === 'l1' ? -distance : (queryNorm * queryNorm - distance * distance) / 2;
}

/** How far the engine's keys may be from the true ones: the bound for sums of `width` products in float32. */
export function keyError(metric: Metric, queries: Vectors, base: Vectors): number {
  const unit = (queries.width + 8) * 2 ** -24;
  const [q, b] = [queries.largest, base.largest];
  return unit * (metric === 'l1' ? q + b : q * b + (b * b) / 2);
}

/**
 * Keys [m, n] of queries [m, width] and the rows of a base [n, width], both scaled: -Σ|q - b|, q·b, or for l2
 * q·b - |b|²/2, which is (|q|² - |q - b|²)/2 as one product of matrices.
 */
export function nearness(engine: EagerExecutor, base: Tensor, metric: Metric): (queries: Tensor) => Tensor {
  if (metric === 'l1') return manhattan(engine, base);
  if (metric === 'cosine') return (queries) => matMul(queries, base, false, true);
  const half = scale(sum(mul(base, base), [1], true), -0.5);
  const extended = concat([base, half], 1);
  return (queries) => {
    const m = queries.shape[0];
    return matMul(concat([queries, constant(new Float32Array(m).fill(1), [m, 1])], 1), extended, false, true);
  };
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
    const rows = groups.map((group) => concat(tiles.map((tile) => distances(group, tile)), 1));
    return neg(concat(rows, 0));
  };
}

/** `total` in parts of `size`, the last one shorter. */
function pieces(total: number, size: number): number[] {
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => Math.min(size, total - i * size));
}
