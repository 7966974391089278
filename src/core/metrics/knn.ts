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
  const { neighbours, found, trainLabels, testLabels, ks, leaveOneOut } = input;
  const right = ks.map(() => 0);
  testLabels.forEach((label, query) => {
    let rows = Array.from(neighbours.subarray(query * found, (query + 1) * found));
    if (leaveOneOut) rows = rows.filter((row) => row !== query);
    const labels = rows.map((row) => trainLabels[row]);
    ks.forEach((k, i) => {
      if (vote(labels, k) === label) right[i]++;
    });
  });
  return Object.fromEntries(ks.map((k, i) => [String(k), right[i] / testLabels.length]));
}
