/** What features are worth to a classifier, on few labelled images: one half names the other. */
import type { EagerExecutor } from '../../backend/eager.js';
import { knnAccuracy } from '../../metrics/neighbours/knn.js';
import { findNeighbours } from '../../metrics/neighbours/neighbours.js';
import { minibatchProbe } from '../../metrics/probe/minibatch-probe.js';
import { rowsOf } from '../../metrics/rows.js';

/** Numbers of neighbours, if there are as many rows; vectors are scaled to an L2 norm of 1. */
const KS = [1, 5, 25];

/**
 * The probe: one classifier, at the learning rate of the paper's ablations (appendix A); a penalty and fewer steps suit
 * few images.
 */
export const PROBE = { learning_rate: 0.01, penalty: 1e-3, steps: 500, batch_size: 256 };

export interface Halves {
  /** [n, width] */
  features: Float32Array;
  /** [n] */
  labels: Int32Array;
  width: number;
  /** The number of rows, from the first on, that fit the probe; the others are tested. */
  fitted: number;
}

export async function evaluateNeighbours(engine: EagerExecutor, { features, labels, width, fitted }: Halves) {
  const ks = KS.filter((k) => k <= fitted);
  const found = ks[ks.length - 1];
  const [base, queries] = [features.subarray(0, fitted * width), features.subarray(fitted * width)];
  const { rows: neighbours } = await findNeighbours(engine, rowsOf(base, width), {
    queries,
    width,
    k: found,
    metric: 'l2',
    normalise: true,
  });
  const [trainLabels, testLabels] = [labels.slice(0, fitted), labels.slice(fitted)];
  const top1 = knnAccuracy({ neighbours, found, trainLabels, testLabels, ks, leaveOneOut: false });
  return { top1 };
}

export async function evaluateProbe(engine: EagerExecutor, { features, labels, width, fitted }: Halves, seed: number) {
  const part = (from: number, to: number) => ({
    rows: to - from,
    width,
    labels: labels.slice(from, to),
    read: async (first: number, count: number) =>
      features.slice((from + first) * width, (from + first + count) * width),
  });
  const { test } = await minibatchProbe(engine, {
    train: part(0, fitted),
    test: part(fitted, labels.length),
    learningRates: [PROBE.learning_rate],
    penalties: [PROBE.penalty],
    steps: PROBE.steps,
    batchSize: PROBE.batch_size,
    holdout: 0,
    seed,
  });
  return { top1: test.top1 / test.rows, top5: test.top5 / test.rows };
}
