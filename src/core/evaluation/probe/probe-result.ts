import type { Accuracy } from '../../metrics/probe/accuracy.js';
import type { ProbeQuestion } from './probe-question.js';

export interface Circumstances {
  holdout: number;
  /** Of L-BFGS. */
  converged?: boolean;
  /** The test rows are of the training images. */
  sameImages: boolean;
}

/** In words, what a number depends on beside the features. */
export function protocol(
  { solver, schedule, average, augment }: ProbeQuestion,
  { holdout, converged, sameImages }: Circumstances,
): string {
  const how = {
    adam: `Adam, ${schedule} rate`,
    sgd: `gradient descent with momentum 0.9, ${schedule} rate`,
    lbfgs: `L-BFGS on all rows ${converged ? 'to the optimum' : 'that stopped before the optimum'}`,
  }[solver];
  const averaged = solver !== 'lbfgs' && average > 0 ? `, weights averaged with decay ${average}` : '';
  const chosen =
    holdout > 0
      ? 'chosen by held-out training rows, then trained on all'
      : 'trained on all training rows, nothing chosen';
  const features = augment
    ? `features of ${augment.crop} crops, encoded anew for each batch, standardised by the plain ones`
    : 'features without augmentation, standardised';
  const tested = sameImages ? '; TESTED ON THE TRAINING IMAGES' : '';
  return `${features}; ${how}${averaged}; ${chosen}${tested}`;
}

/** Of all rows. */
export const fractions = ({ top1, top5, rows }: Accuracy) => ({ top1: top1 / rows, top5: top5 / rows });

/** For each class number the fraction of its test rows that are classified right; null where it has none. */
export function perClass(confusion: Uint32Array, classes: Int32Array): Record<string, number | null> {
  const n = classes.length;
  const of = (column: number) => {
    const total = confusion.subarray(column * n, (column + 1) * n).reduce((sum, count) => sum + count, 0);
    return total > 0 ? confusion[column * n + column] / total : null;
  };
  return Object.fromEntries(Array.from(classes, (label, column) => [String(label), of(column)]));
}

export function describeHead({
  heldout,
  ...settings
}: { heldout?: Accuracy; learningRate?: number; penalty: number } & object) {
  const { learningRate, ...others } = settings;
  const known = heldout && {
    heldout_top1: heldout.top1 / heldout.rows,
    heldout_top5: heldout.top5 / heldout.rows,
    heldout_loss: heldout.loss / heldout.rows,
  };
  return { ...(learningRate === undefined ? {} : { learning_rate: learningRate }), ...others, ...known };
}
