/** Exact nearest neighbours on the engine: the queries stay, the base comes by once, in chunks. */
import type { EagerExecutor } from '../backend/eager.js';
import { constant } from '../backend/ops.js';
import { topK } from '../backend/ops/search.js';
import type { Tensor } from '../backend/tensor.js';
import { type Metric, nearness, normalised } from './nearness.js';
import { createRanking } from './ranking.js';

export interface NeighbourSettings {
  /** [queryCount, width] */
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
  /** Frees the queries. */
  dispose(): void;
}

/** Queries compared at once. */
const BLOCK = 1000;

export function createNeighbourSearch(engine: EagerExecutor, settings: NeighbourSettings): NeighbourSearch {
  const { queries, width, k, metric, normalise } = settings;
  const prepare = (rows: Float32Array) => {
    const ready = normalise ? normalised(rows, width, metric) : rows;
    return constant(ready, [ready.length / width, width]);
  };
  const blocks: Tensor[] = [];
  for (let first = 0; first < queries.length / width; first += BLOCK) {
    blocks.push(prepare(queries.slice(first * width, (first + BLOCK) * width)));
  }
  const ranking = createRanking(queries.length / width, k);
  let seen = 0;

  return {
    add(rows, count) {
      engine.scope(() => {
        const score = nearness(engine, prepare(rows), metric);
        blocks.forEach((block, i) =>
          engine.scope(() => {
            const best = topK(score(block), Math.min(k, count));
            const values = engine.read(best.values) as Float32Array;
            ranking.merge(i * BLOCK, values, engine.read(best.indices) as Int32Array, best.values.shape[1], seen);
          }),
        );
      });
      seen += count;
    },
    result: () => ranking.indices,
    dispose: () => engine.dispose(...blocks),
  };
}
