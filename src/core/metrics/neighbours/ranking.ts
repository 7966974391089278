/** The nearest k of each query, out of rows that arrive one after the other. */

export interface Ranking {
  /** Row numbers [queries, k], nearest first; -1 where nothing has arrived yet. */
  readonly rows: Int32Array;
  /** Their distances [queries, k]; Infinity where nothing has arrived yet. */
  readonly distances: Float64Array;
  /** Takes a row into account. Rows come in ascending order: of equally near ones the earlier stays ahead. */
  insert(query: number, row: number, distance: number): void;
  /** Distance of the last of the k: Infinity while there are fewer. */
  limit(query: number): number;
}

export function createRanking(queries: number, k: number): Ranking {
  const rows = new Int32Array(queries * k).fill(-1);
  const distances = new Float64Array(queries * k).fill(Infinity);
  return {
    rows,
    distances,
    insert(query, row, distance) {
      const first = query * k;
      let at = first + k - 1;
      if (!(distance < distances[at]) && rows[at] >= 0) return;
      for (; at > first && distances[at - 1] > distance; at--) {
        distances[at] = distances[at - 1];
        rows[at] = rows[at - 1];
      }
      distances[at] = distance;
      rows[at] = row;
    },
    limit: (query) => distances[(query + 1) * k - 1],
  };
}
