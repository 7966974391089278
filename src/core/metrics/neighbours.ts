/**
 * Exact nearest neighbours: the queries stay, the base comes by once, in chunks. The engine computes keys in float32;
 * what may be among the nearest by them, given how far they can be off, is compared in double precision.
 */
import type { EagerExecutor } from '../backend/eager.js';
import { constant, reshape } from '../backend/ops.js';
import { gatherRows, largest } from '../backend/ops/search.js';
import type { Tensor } from '../backend/tensor.js';
import { type Metric, type Vectors, distance, keyError, keyOf, nearness, scaled, vectors } from './nearness.js';
import { createRanking } from './ranking.js';

export interface NeighbourSettings {
  /** [queryCount, width]; must stay as it is until the search is disposed of. */
  queries: Float32Array;
  width: number;
  /** Neighbours to find; no more than the base has rows. */
  k: number;
  metric: Metric;
  /** Scale each vector to norm 1 first. */
  normalise: boolean;
}

export interface NeighbourSearch {
  /** Looks at `count` further rows of the base [count, width]. */
  add(rows: Float32Array, count: number): void;
  /** Row numbers in the base, [queryCount, k], nearest first; of equally near ones the lower number first. */
  result(): Int32Array;
  /** Their distances [queryCount, k]: D_1, D_2, or one minus the cosine. */
  distances(): Float64Array;
  /** Frees the queries. */
  dispose(): void;
}

/** Queries compared at once. */
const BLOCK = 1000;
/** Neighbouring keys of which only the largest is read at first. */
const GROUP = 32;

export function createNeighbourSearch(engine: EagerExecutor, settings: NeighbourSettings): NeighbourSearch {
  const { width, k, metric, normalise } = settings;
  const queryCount = settings.queries.length / width;
  const queries = vectors(settings.queries, width, metric, normalise);
  const norms = metric === 'l2' ? squareNorms(queries) : undefined;
  const ranking = createRanking(queryCount, k);
  const blocks: Tensor[] = [];
  for (let first = 0; first < queryCount; first += BLOCK) {
    const part = settings.queries.subarray(first * width, (first + BLOCK) * width);
    const factors = queries.factors.subarray(first, first + BLOCK);
    blocks.push(engine.scope(() => scaled({ ...queries, rows: part, factors }, normalise)));
  }
  let seen = 0;

  /** Takes in the rows of `base`, whose count is a multiple of `group`. */
  const compare = (base: Vectors, group: number) => {
    const error = keyError(metric, queries, base);
    const count = base.factors.length;
    engine.scope(() => {
      const keysOf = nearness(engine, scaled(base, normalise), metric);
      blocks.forEach((block, i) => engine.scope(() => take(i * BLOCK, keysOf(block), count, group, base, error)));
    });
    seen += count;
  };

  const take = (firstQuery: number, keys: Tensor, count: number, group: number, base: Vectors, error: number) => {
    const m = keys.shape[0];
    const groups = count / group;
    const maxima = engine.read(group === 1 ? keys : largest(reshape(keys, [m, groups, group]))) as Float32Array;
    const limits = new Float64Array(m);
    const hits: number[] = [];
    for (let i = 0, at = 0; i < m; i++) {
      const query = firstQuery + i;
      const worst = ranking.limit(query);
      const known = worst < Infinity ? keyOf(metric, worst, norms ? norms[query] : 1) - error : -Infinity;
      // While the list is not full: at least k keys are as large as the k-th largest of the maxima.
      limits[i] = Math.max(known, known === -Infinity ? kthLargest(maxima.subarray(at, at + groups), k) - 2 * error : known);
      for (const end = at + groups; at < end; at++) if (maxima[at] >= limits[i]) hits.push(at);
    }
    if (hits.length === 0) return;
    const found = group === 1 ? undefined : (engine.read(gatherRows(reshape(keys, [m * groups, group]), constant(Int32Array.from(hits), [hits.length]))) as Float32Array);
    const rows: number[] = [];
    const values: number[] = [];
    hits.forEach((hit, n) => {
      const i = Math.floor(hit / groups);
      const row = (hit % groups) * group;
      for (let j = 0; j < group; j++) {
        const value = found ? found[n * group + j] : maxima[hit];
        if (value < limits[i]) continue;
        rows.push(row + j);
        values.push(value);
      }
      if (n + 1 < hits.length && Math.floor(hits[n + 1] / groups) === i) return;
      settle(firstQuery + i, rows, values, base, error);
      rows.length = 0;
      values.length = 0;
    });
  };

  /** Compares the candidates of one query, in ascending order of rows. */
  const settle = (query: number, rows: readonly number[], values: readonly number[], base: Vectors, error: number) => {
    const least = kthLargest(Float32Array.from(values), k) - 2 * error;
    rows.forEach((row, n) => {
      if (values[n] >= least) ranking.insert(query, seen + row, distance(metric, queries, query, base, row));
    });
  };

  return {
    add(rows, count) {
      const whole = count - (count % GROUP);
      const part = (first: number, end: number) => vectors(rows.subarray(first * width, end * width), width, metric, normalise);
      if (whole > 0) compare(part(0, whole), GROUP);
      if (whole < count) compare(part(whole, count), 1);
    },
    result: () => ranking.rows,
    distances: () => ranking.distances,
    dispose: () => engine.dispose(...blocks),
  };
}

/** -Infinity where there are fewer than k. */
function kthLargest(values: Float32Array, k: number): number {
  return values.length < k ? -Infinity : values.slice().sort()[values.length - k];
}

/** Lengths after scaling: 1 or, for a row of zeros, 0 where they are normalised. */
function squareNorms({ rows, width, factors }: Vectors): Float64Array {
  return factors.map((factor, row) => {
    let total = 0;
    for (let at = row * width; at < (row + 1) * width; at++) total += rows[at] * rows[at];
    return Math.sqrt(total) * factor;
  });
}
