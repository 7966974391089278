/** Rows that may be among the nearest k of a query, by keys that are off by up to `error`. */
import { kthLargest } from './kth-largest.js';

export interface CandidateSettings {
  queries: number;
  k: number;
  error: number;
  /** The true key of a query's neighbour so far, nearest first; -Infinity where there is none. */
  known(query: number, place: number): number;
  /** Compares these rows exactly. */
  settle(query: number, rows: Int32Array): void;
}

export interface Candidates {
  readonly error: number;
  /** [queries]: what has a smaller key is none. */
  readonly limits: Float64Array;
  /** Rows come in ascending order. */
  add(query: number, row: number, key: number): void;
  /** Settles what is left. */
  finish(): void;
}

export function createCandidates({ queries, k, error, known, settle }: CandidateSettings): Candidates {
  const capacity = 2 * k + 32;
  const rows = new Int32Array(queries * capacity);
  const keys = new Float32Array(queries * capacity);
  const counts = new Int32Array(queries);
  const limits = Float64Array.from(counts, (_, query) => known(query, k - 1) - error);
  const bounds = new Float64Array(capacity + k);

  /** Leaves out those that k others surely are nearer than. */
  const thin = (query: number) => {
    const first = query * capacity;
    const end = first + counts[query];
    for (let at = first; at < end; at++) bounds[at - first] = keys[at] - error;
    for (let place = 0; place < k; place++) bounds[end - first + place] = known(query, place);
    const limit = Math.max(limits[query], kthLargest(bounds.subarray(0, end - first + k), k) - error);
    let kept = first;
    for (let at = first; at < end; at++) {
      if (!(keys[at] >= limit)) continue;
      rows[kept] = rows[at];
      keys[kept++] = keys[at];
    }
    counts[query] = kept - first;
    limits[query] = limit;
  };
  const settleAll = (query: number) => {
    settle(query, rows.subarray(query * capacity, query * capacity + counts[query]));
    counts[query] = 0;
    limits[query] = Math.max(limits[query], known(query, k - 1) - error);
  };

  return {
    error,
    limits,
    add(query, row, key) {
      if (counts[query] === capacity) {
        thin(query);
        // Keys cannot distinguish this many.
        if (counts[query] > capacity / 2 + 16) settleAll(query);
        if (!(key >= limits[query])) return;
      }
      const at = query * capacity + counts[query]++;
      rows[at] = row;
      keys[at] = key;
    },
    finish() {
      for (let query = 0; query < queries; query++) {
        thin(query);
        settleAll(query);
      }
    },
  };
}
