/** Feature files in, classifications by nearest neighbours out. */
import type { EagerExecutor } from '../../backend/eager.js';
import type { Features } from '../../data/features.js';
import { knnRight, type Neighbours, weightedRight, withoutSelf } from '../../metrics/neighbours/knn.js';
import type { NeighbourMetric } from '../../metrics/neighbours/nearness.js';
import { findNeighbours } from '../../metrics/neighbours/neighbours.js';

export interface NeighbourQuestion {
  train: Features;
  test: Features;
  /** Rows of `test` to classify: from, to (exclusive). */
  range: [number, number];
  /** Ascending. */
  ks: readonly number[];
  metric: NeighbourMetric;
  normalise: boolean;
  /** The two sets are one: a row does not vote on itself. */
  leaveOneOut: boolean;
  /** Also weigh the votes by similarity (metric cosine). */
  temperature?: number;
  /** Rows of `train` that were looked at. */
  onRows?(done: number): void;
}

export interface NeighbourAnswer {
  neighbours: Neighbours;
  /** Queries that are classified right, for each k. */
  right: number[];
  weighted?: { top1: number[]; top5: number[] };
}

/** Reads the base once, whatever its size; the queries stay in memory. Both need labels. */
export async function classifyByNeighbours(
  engine: EagerExecutor,
  question: NeighbourQuestion,
): Promise<NeighbourAnswer> {
  const { train, test, range, ks, metric, normalise, leaveOneOut, temperature, onRows } = question;
  const [from, to] = range;
  const k = ks[ks.length - 1] + (leaveOneOut ? 1 : 0);
  const queries = await test.read(from, to - from);
  const nearest = await findNeighbours(engine, train, { queries, width: train.width, k, metric, normalise }, onRows);
  const all = { ...nearest, found: k };
  const neighbours = leaveOneOut ? withoutSelf(all, from) : all;
  const { rows, distances, found } = neighbours;
  const vote = { neighbours: rows, found, trainLabels: train.labels!, testLabels: test.labels!.subarray(from, to), ks };
  return {
    neighbours,
    right: knnRight({ ...vote, leaveOneOut: false }),
    weighted: temperature === undefined ? undefined : weightedRight({ ...vote, distances, temperature }),
  };
}
