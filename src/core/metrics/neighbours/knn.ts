/** Classification by the k nearest neighbours, without any training (BigBiGAN, appendix C). */

/**
 * The class that most of the first k neighbours have; of classes with equally many, that of the nearest neighbour.
 * `neighbours` holds their classes, nearest first.
 */
export function vote(neighbours: readonly number[], k: number): number {
  const counts = new Map<number, number>();
  for (const label of neighbours.slice(0, k)) counts.set(label, (counts.get(label) ?? 0) + 1);
  let winner = neighbours[0];
  // A Map keeps the order of first appearance, which is the order of nearness.
  for (const [label, count] of counts) if (count > counts.get(winner)!) winner = label;
  return winner;
}

export interface KnnInput {
  /** Row numbers of the neighbours [queries, found], nearest first. */
  neighbours: Int32Array;
  found: number;
  trainLabels: Int32Array;
  testLabels: Int32Array;
  ks: readonly number[];
  /** The queries are the base itself: a row does not vote on itself. `found` is one more than the largest k then. */
  leaveOneOut: boolean;
}

/** For each k the fraction of queries that are classified right. */
export function knnAccuracy(input: KnnInput): Record<string, number> {
  const right = knnRight(input);
  return Object.fromEntries(input.ks.map((k, i) => [String(k), right[i] / input.testLabels.length]));
}

/** For each k the number of queries that are classified right. */
export function knnRight({ neighbours, found, trainLabels, testLabels, ks, leaveOneOut }: KnnInput): number[] {
  const right = ks.map(() => 0);
  testLabels.forEach((label, query) => {
    let rows = Array.from(neighbours.subarray(query * found, (query + 1) * found));
    if (leaveOneOut) rows = rows.filter((row) => row !== query);
    const labels = rows.map((row) => trainLabels[row]);
    ks.forEach((k, i) => {
      if (vote(labels, k) === label) right[i]++;
    });
  });
  return right;
}

export interface WeightedKnnInput extends Omit<KnnInput, 'leaveOneOut'> {
  /** One minus the cosine similarity of each neighbour [queries, found]. */
  distances: Float64Array;
  /** τ: a neighbour of similarity s has exp(s/τ) votes (Wu et al. 2018; DINO). */
  temperature: number;
}

/**
 * For each k the number of queries whose class has the most votes, and of those whose class is among the five with
 * most.
 */
export function weightedRight(input: WeightedKnnInput): { top1: number[]; top5: number[] } {
  const { neighbours, distances, found, trainLabels, testLabels, ks, temperature } = input;
  const top1 = ks.map(() => 0);
  const top5 = ks.map(() => 0);
  testLabels.forEach((label, query) => {
    const first = query * found;
    // Relative to the nearest, so that no temperature makes them overflow.
    const weight = (i: number) => Math.exp((distances[first] - distances[first + i]) / temperature);
    ks.forEach((k, at) => {
      const votes = new Map<number, number>();
      for (let i = 0; i < k; i++) {
        const named = trainLabels[neighbours[first + i]];
        votes.set(named, (votes.get(named) ?? 0) + weight(i));
      }
      // A stable sort of classes in the order of nearness, which so decides ties.
      const place = [...votes].sort(([, a], [, b]) => b - a).findIndex(([named]) => named === label);
      if (place === 0) top1[at]++;
      if (place >= 0 && place < 5) top5[at]++;
    });
  });
  return { top1, top5 };
}

export interface Neighbours {
  /** Row numbers [queries, found], nearest first. */
  rows: Int32Array;
  /** [queries, found] */
  distances: Float64Array;
  found: number;
}

/** The neighbours without the query's own row, `firstQuery` being the row of the first; one fewer for each query. */
export function withoutSelf({ rows, distances, found }: Neighbours, firstQuery: number): Neighbours {
  const queries = rows.length / found;
  const kept = {
    rows: new Int32Array(queries * (found - 1)),
    distances: new Float64Array(queries * (found - 1)),
    found: found - 1,
  };
  for (let query = 0, to = 0; query < queries; query++) {
    const end = (query + 1) * found;
    const own = rows.subarray(query * found, end).indexOf(firstQuery + query);
    // It may be missing where others are at distance 0 as well: then the last goes.
    const left = own < 0 ? end - 1 : query * found + own;
    for (let from = query * found; from < end; from++) {
      if (from === left) continue;
      kept.rows[to] = rows[from];
      kept.distances[to++] = distances[from];
    }
  }
  return kept;
}
