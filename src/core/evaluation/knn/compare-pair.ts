/** One pair of feature folders: how well the nearest training rows name the classes of the test rows. */
import type { Engine } from '../../backend/engine.js';
import { usage } from '../../errors.js';
import type { NeighbourMetric } from '../../metrics/neighbours/nearness.js';
import { versions } from '../../version.js';
import type { WorkOptions } from '../../work.js';
import { describeSet } from '../features/describe-set.js';
import { describeComputed, type FeaturePair } from '../features/feature-pair.js';
import { classifyByNeighbours, type NeighbourAnswer } from './classify-neighbours.js';
import { accuracies, type Counts, type KnnResult, shardRange } from './knn-result.js';
import { writeNeighbours } from './neighbour-folder.js';

export interface PairQuestion {
  feature: string;
  /** Numbers of neighbours. */
  k: readonly number[];
  metric: NeighbourMetric;
  normalise: boolean;
  temperature?: number;
  /** Part I of N of the test rows. */
  shard?: readonly [number, number];
  neighboursOut?: string;
  sheetOut?: string;
  force?: boolean;
}

export interface ComparedPair {
  result: KnnResult;
  answer: NeighbourAnswer;
  /** The test row that is the first query. */
  firstQuery: number;
}

export async function comparePair(
  start: () => Promise<Engine>,
  pair: FeaturePair,
  question: PairQuestion,
  { on, signal }: WorkOptions,
): Promise<ComparedPair> {
  const started = performance.now();
  const { metric, normalise, temperature, neighboursOut, sheetOut, shard, force } = question;
  const { train, test, same: leaveOneOut, classes, bn } = pair;
  const ks = [...new Set(question.k)].sort((a, b) => a - b);
  if (leaveOneOut) {
    on?.({ kind: 'note', message: 'train and test are the same rows: leaving each row out of its own vote' });
  }
  const range = shardRange(test.rows, shard ?? [1, 1]);
  if (range[0] === range[1]) {
    throw usage(`part ${shard!.join('/')} of the ${test.rows} rows of ${test.path} is empty`, 'use fewer parts');
  }
  const engine = await start();
  const answer = await classifyByNeighbours(engine, {
    train,
    test,
    range,
    ks,
    metric,
    normalise,
    leaveOneOut,
    temperature,
    onRows(done) {
      signal?.throwIfAborted();
      on?.({ kind: 'progress', task: 'training rows', done, total: train.rows });
    },
  });
  const digests =
    neighboursOut === undefined ? undefined : await writeNeighbours(neighboursOut, answer.neighbours, force);

  const queries = range[1] - range[0];
  const named = (counts: number[]): Counts => Object.fromEntries(ks.map((k, i) => [String(k), counts[i]]));
  const right = named(answer.right);
  const weighted = answer.weighted && { top1: named(answer.weighted.top1), top5: named(answer.weighted.top5) };
  const result: KnnResult = {
    ...accuracies(right, weighted, queries),
    shard: shard ? shard.join('/') : null,
    metric,
    normalised: normalise,
    temperature: temperature ?? null,
    feature: question.feature,
    ...describeComputed(bn),
    leave_one_out: leaveOneOut,
    train: describeSet(train),
    test: describeSet(test),
    classes,
    neighbours_out: neighboursOut,
    neighbours_sha256: digests,
    sheet_out: sheetOut,
    seconds: (performance.now() - started) / 1000,
    versions: versions(engine),
  };
  return { result, answer, firstQuery: range[0] };
}
