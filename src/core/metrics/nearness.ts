/** How near feature vectors are to each other, as numbers that grow with nearness. */
import type { EagerExecutor } from '../backend/eager.js';
import { abs, concat, matMul, mul, neg, reshape, scale, splitSizes, sub, sum } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';

/**
 * On vectors scaled to norm 1, `l1` and `l2` are the distances D_1 and D_2 of BigBiGAN's appendix C; `cosine` is the
 * cosine similarity, which puts them in the order of D_2.
 */
export type Metric = 'l1' | 'l2' | 'cosine';

/** Copies rows [n, width] scaled to the metric's norm of 1; a row of zeros stays. */
export function normalised(rows: Float32Array, width: number, metric: Metric): Float32Array {
  const result = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at += width) {
    let norm = 0;
    for (let j = at; j < at + width; j++) norm += metric === 'l1' ? Math.abs(rows[j]) : rows[j] * rows[j];
    if (metric !== 'l1') norm = Math.sqrt(norm);
    const factor = norm > 0 ? 1 / norm : 0;
    for (let j = at; j < at + width; j++) result[j] = rows[j] * factor;
  }
  return result;
}

/** Nearness [m, n] of queries [m, width] to the rows of `base` [n, width]; comparable within one query only. */
export function nearness(engine: EagerExecutor, base: Tensor, metric: Metric): (queries: Tensor) => Tensor {
  if (metric === 'l1') return manhattan(engine, base);
  if (metric === 'cosine') return (queries) => matMul(queries, base, false, true);
  // -|q - b|² / 2 without |q|², which is the same for every b.
  const half = engine.scope(() => scale(sum(mul(base, base), [1]), 0.5));
  return (queries) => sub(matMul(queries, base, false, true), half);
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
