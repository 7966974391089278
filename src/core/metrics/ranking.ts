/** The best k of each query, out of lists that arrive one after the other. */

export interface Ranking {
  /** Row numbers [queries, k], best first; -1 where nothing has arrived yet. */
  readonly indices: Int32Array;
  /**
   * Takes `length` candidates for each query from `firstQuery` on, sorted best first; `offset` is added to their row
   * numbers. Lists must come in ascending order of row numbers: of equal scores the earlier one stays ahead.
   */
  merge(firstQuery: number, scores: Float32Array, rows: Int32Array, length: number, offset: number): void;
}

export function createRanking(queries: number, k: number): Ranking {
  const indices = new Int32Array(queries * k).fill(-1);
  const kept = new Float32Array(queries * k).fill(-Infinity);
  const oldScores = new Float32Array(k);
  const oldIndices = new Int32Array(k);

  return {
    indices,
    merge(firstQuery, scores, rows, length, offset) {
      for (let list = 0; list < scores.length; list += length) {
        const at = (firstQuery + list / length) * k;
        if (scores[list] <= kept[at + k - 1]) continue;
        oldScores.set(kept.subarray(at, at + k));
        oldIndices.set(indices.subarray(at, at + k));
        for (let i = 0, old = 0, fresh = 0; i < k; i++) {
          const better = fresh < length && (scores[list + fresh] > oldScores[old] || oldIndices[old] < 0);
          kept[at + i] = better ? scores[list + fresh] : oldScores[old];
          indices[at + i] = better ? rows[list + fresh++] + offset : oldIndices[old++];
        }
      }
    },
  };
}
