/** What both ways of training a linear probe start from: standardised rows, columns for the classes, rows held out. */
import { integerRandom, permutation } from '../../data/random.js';
import { affine, columnMoments, type Rows, type Standardisation, standardisation } from '../rows.js';
import type { Accuracy } from './accuracy.js';
import { type Classifier, columnsOf, type LabelledRows, type Tested } from './classifier.js';

export interface ChosenClassifier<Choice> {
  /** Every choice of settings with its accuracy on the held-out rows. */
  heads: Array<Choice & { heldout?: Accuracy }>;
  /** Which of them was chosen. */
  best: number;
  /** Accuracy of the chosen head on the test rows. */
  test: Accuracy;
  /** See `Tested`. */
  confusion: Tested['confusion'];
  /** The chosen head, for features that are not standardised. */
  classifier: Classifier;
}

export interface ProbeData {
  /** Ascending. */
  classes: Int32Array;
  /** Column of each training row's class. */
  columns: Int32Array;
  scaling: Standardisation;
  /** The training rows, standardised. */
  inputs: Rows;
  heldout(row: number): boolean;
}

export async function probeData(train: LabelledRows, holdout: number, seed: number): Promise<ProbeData> {
  const classes = Int32Array.from(new Set(train.labels)).sort();
  const scaling = standardisation(await columnMoments(train));
  const held = new Uint8Array(train.rows);
  for (const row of permutation(train.rows, integerRandom(seed, 0)).subarray(0, holdout)) held[row] = 1;
  return {
    classes,
    columns: train.labels.map(columnsOf(classes)),
    scaling,
    inputs: affine(train, scaling),
    heldout: (row) => held[row] === 1,
  };
}

/** The lowest cross-entropy: on few rows it distinguishes heads better than the accuracy does. */
export function bestOf(scored: readonly Accuracy[]): number {
  let best = 0;
  scored.forEach(({ loss }, i) => {
    if (loss < scored[best].loss || Number.isNaN(scored[best].loss)) best = i;
  });
  return best;
}
