/**
 * Exact nearest neighbours: the queries stay, the base comes by once, in chunks. The engine computes keys in float32;
 * what may be among the nearest by them, given how far they can be off, is compared in double precision.
 */
import type { EagerExecutor } from '../../backend/eager.js';
import { gatherRows, largest } from '../../backend/ops/search.js';
import { constant, reshape } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import { chunks, type Rows } from '../rows.js';
import { type Candidates, createCandidates } from './candidates.js';
import { kthLargest } from './kth-largest.js';
import {
  distances,
  keyError,
  keyOf,
  type NeighbourMetric,
  nearness,
  part,
  scaled,
  type Vectors,
  vectors,
} from './nearness.js';
import { createRanking } from './ranking.js';

export interface NeighbourSettings {
  /** [queryCount, width]; must stay as it is until the search is disposed of. */
  queries: Float32Array;
  width: number;
  /** Neighbours to find; no more than the base has rows. */
  k: number;
  metric: NeighbourMetric;
  /** Scale each vector to norm 1 first. */
  normalise: boolean;
}

export interface NeighbourSearch {
  /**
   * Looks at `count` further rows of the base [count, width]: the more at once, the fewer are compared in double
   * precision.
   */
  add(rows: Float32Array, count: number): void;
  /** Row numbers in the base, [queryCount, k], nearest first; of equally near ones the lower number first. */
  result(): Int32Array;
  /** Their distances [queryCount, k]: D_1, D_2, or one minus the cosine. */
  distances(): Float64Array;
  /** Frees the queries. */
  dispose(): void;
}

/** Queries and rows of the base that are compared at once: 16 MB of keys. */
const QUERIES = 1000;
const ROWS = 4096;
/** Neighbouring keys of which only the largest is read at first. */
const GROUP = 32;
/** Elements and rows of the base in memory at once: 128 MB. */
const CHUNK = 1 << 25;
const CHUNK_ROWS = 1 << 16;

/** Reads `base` once, whatever its size, for what the search says of itself in `result` and `distances`. */
export async function findNeighbours(
  engine: EagerExecutor,
  base: Rows,
  settings: NeighbourSettings,
  onRows?: (done: number) => void,
): Promise<{ rows: Int32Array; distances: Float64Array }> {
  const search = createNeighbourSearch(engine, settings);
  try {
    for await (const { first, count, data } of chunks(base, CHUNK, CHUNK_ROWS)) {
      search.add(data, count);
      onRows?.(first + count);
    }
  } finally {
    search.dispose();
  }
  return { rows: search.result(), distances: search.distances() };
}

export function createNeighbourSearch(engine: EagerExecutor, settings: NeighbourSettings): NeighbourSearch {
  const { width, k, metric, normalise } = settings;
  const queries = vectors(settings.queries, width, metric, normalise);
  const queryCount = queries.factors.length;
  const ranking = createRanking(queryCount, k);
  const blocks: Tensor[] = [];
  for (let first = 0; first < queryCount; first += QUERIES) {
    blocks.push(engine.scope(() => scaled(part(queries, first, Math.min(first + QUERIES, queryCount)), normalise)));
  }
  let seen = 0;

  const search = (base: Vectors, count: number) => {
    const candidates = createCandidates({
      queries: queryCount,
      k,
      error: keyError(metric, queries, base),
      known: (query, place) => keyOf(metric, ranking.distances[query * k + place], queries.norms[query], normalise),
      settle(query, rows) {
        const exact = distances(metric, queries, query, base, rows);
        rows.forEach((row, n) => ranking.insert(query, seen + row, exact[n]));
      },
    });
    const compare = (first: number, end: number, group: number) =>
      engine.scope(() => {
        const keysOf = nearness(engine, part(base, first, end), metric, normalise);
        blocks.forEach((block, i) => engine.scope(() => collect(candidates, keysOf(block), i * QUERIES, first, group)));
      });
    const whole = count - (count % GROUP);
    for (let first = 0; first < whole; first += ROWS) compare(first, Math.min(first + ROWS, whole), GROUP);
    if (whole < count) compare(whole, count, 1);
    candidates.finish();
    seen += count;
  };

  /** What of the keys [m, n] of queries and rows, counted from the first ones, is large enough. */
  const collect = (candidates: Candidates, keys: Tensor, firstQuery: number, firstRow: number, group: number) => {
    const { limits } = candidates;
    const [m, n] = keys.shape;
    const groups = n / group;
    const maxima = engine.read(group === 1 ? keys : largest(reshape(keys, [m, groups, group]))) as Float32Array;
    const hits: number[] = [];
    for (let i = 0, at = 0; i < m; i++) {
      const query = firstQuery + i;
      // Nothing is known yet: at least k keys are as large as the k-th largest of the maxima.
      if (limits[query] === -Infinity)
        limits[query] = kthLargest(maxima.slice(at, at + groups), k) - 2 * candidates.error;
      const limit = limits[query];
      for (const end = at + groups; at < end; at++) if (maxima[at] >= limit) hits.push(at);
    }
    if (hits.length === 0) return;
    const rows = Int32Array.from(hits);
    const found = engine.read(
      gatherRows(reshape(keys, [m * groups, group]), constant(rows, [rows.length])),
    ) as Float32Array;
    for (let h = 0, at = 0; h < rows.length; h++) {
      const query = firstQuery + Math.floor(rows[h] / groups);
      const row = firstRow + (rows[h] % groups) * group;
      for (let j = 0; j < group; j++, at++) if (found[at] >= limits[query]) candidates.add(query, row + j, found[at]);
    }
  };

  return {
    add: (rows, count) => search(vectors(rows.subarray(0, count * width), width, metric, normalise), count),
    result: () => ranking.rows,
    distances: () => ranking.distances,
    dispose: () => engine.dispose(...blocks),
  };
}
