/** What a probe is asked, what it reports, and what it answers. */
import type { Remarks } from '../features/feature-pair.js';
import type { AugmentationQuestion } from './augmentation-question.js';

export const SOLVERS = ['adam', 'sgd', 'lbfgs'] as const;
/** Of the learning rates: to 0 along half a cosine, or none. */
export const SCHEDULES = ['cosine', 'constant'] as const;

export interface ProbeQuestion {
  train: string;
  test: string;
  /** Default avepool. */
  feature?: string;
  solver: (typeof SOLVERS)[number];
  learningRates: readonly number[];
  penalties: readonly number[];
  steps: number;
  /** Instead of steps. */
  epochs?: number;
  batchSize: number;
  schedule: (typeof SCHEDULES)[number];
  average: number;
  iterations: number;
  tolerance: number;
  /** File that keeps the state of L-BFGS. */
  state?: string;
  /** Default: a tenth of the training rows, at most 10,000, where there is a choice. */
  holdout?: number;
  seed: number;
  /** Train on random parts of the images, encoded anew for each batch (adam, sgd). */
  augment?: AugmentationQuestion;
}

export interface ProbeEvents extends Remarks {
  /** Steps of random batches, or penalties that L-BFGS has solved for. */
  progress(done: number, total: number, words?: string): void;
}

/** Keys of a result. */
export interface ProbeNumbers {
  /** Fractions of the test rows whose class is the first choice, or among the first five. */
  top1: number;
  top5: number;
  /** Fraction of each class number's test rows; null where it has none. */
  per_class_top1: Record<string, number | null>;
  feature: string;
  /** The chosen learning rate and penalty, with the accuracy on held-out rows; absent for a saved classifier. */
  best?: { learning_rate?: number; penalty: number; heldout_top1?: number; heldout_loss?: number };
  test: { path: string; rows: number; width: number; digest: string };
  /** Whether the test rows are of the training images; null where that is not known. */
  test_is_train: boolean | null;
  /** In how many classes rows were sorted. */
  classes: number;
  /** In words, what the numbers depend on beside the features. */
  protocol?: string;
  [key: string]: unknown;
}

export interface ProbeAnswer {
  /** What is printed: stable keys. */
  result: ProbeNumbers;
  /** See `Tested`. */
  confusion: Uint32Array;
  /** Class numbers, ascending. */
  classes: Int32Array;
}
