/** A linear classifier for features as they are, and what it makes of labelled rows. */
import type { EagerExecutor } from '../../backend/eager.js';
import { add, constant, matMul } from '../../backend/ops.js';
import { chunks, type Rows, type Standardisation } from '../rows.js';
import { type Accuracy, addScores, noAccuracy } from './accuracy.js';

export interface LabelledRows extends Rows {
  labels: Int32Array;
}

export interface Classifier {
  /** [width, classes] */
  weight: Float32Array;
  /** [classes] */
  bias: Float32Array;
  /** Class number of each column, ascending. */
  classes: Int32Array;
}

export interface Tested {
  accuracy: Accuracy;
  /**
   * Rows of each class (by column) that were given to each class: [classes, classes]; rows of unknown classes are left
   * out.
   */
  confusion: Uint32Array;
}

/** Column of each class number; -1 for numbers that have none. */
export function columnsOf(classes: Int32Array): (label: number) => number {
  const columns = new Map(Array.from(classes, (label, column) => [label, column]));
  return (label) => columns.get(label) ?? -1;
}

export async function testClassifier(
  engine: EagerExecutor,
  { weight, bias, classes }: Classifier,
  test: LabelledRows,
): Promise<Tested> {
  const column = columnsOf(classes);
  const accuracy = noAccuracy();
  const confusion = new Uint32Array(classes.length ** 2);
  const [w, b] = [constant(weight, [test.width, classes.length]), constant(bias, [classes.length])];
  await forEachRow(
    test,
    classes.length,
    () => true,
    (data, rows) => {
      const scores = engine.scope(
        () => engine.read(add(matMul(constant(data, [rows.length, test.width]), w), b)) as Float32Array,
      );
      const columns = rows.map((row) => column(test.labels[row]));
      addScores([accuracy], scores, columns, classes.length);
      addConfusion(confusion, scores, columns, classes.length);
    },
  );
  engine.dispose(w, b);
  return { accuracy, confusion };
}

/** A score that ties with that of the row's own class goes before it, as it does in the accuracy. */
export function addConfusion(confusion: Uint32Array, scores: Float32Array, columns: Int32Array, classes: number): void {
  columns.forEach((own, row) => {
    if (own < 0) return;
    let top = own;
    for (let i = 0; i < classes; i++) {
      const [score, highest] = [scores[row * classes + i], scores[row * classes + top]];
      if (i !== own && (score > highest || (top === own && !(score < highest)))) top = i;
    }
    confusion[own * classes + top]++;
  });
}

/** Hands over the wanted rows in pieces whose scores, `columns` a row, fit in memory. */
export async function forEachRow(
  source: Rows,
  columns: number,
  wanted: (row: number) => boolean,
  use: (data: Float32Array, rows: Int32Array) => void,
): Promise<void> {
  const { width } = source;
  const size = Math.max(1, Math.floor(2 ** 23 / columns));
  for await (const { first, count, data } of chunks(source)) {
    const rows = Int32Array.from({ length: count }, (_, i) => first + i).filter(wanted);
    for (let at = 0; at < rows.length; at += size) {
      const piece = rows.slice(at, at + size);
      const whole = piece.length === count;
      const picked = whole ? data : new Float32Array(piece.length * width);
      if (!whole)
        piece.forEach((row, i) =>
          picked.set(data.subarray((row - first) * width, (row - first + 1) * width), i * width),
        );
      use(picked, piece);
    }
  }
}

/** x·W' + b' = ((x - mean)·factor)·W + b */
export function unstandardised(weight: Float32Array, bias: ArrayLike<number>, { mean, factor }: Standardisation) {
  const classes = bias.length;
  const scaled = weight.map((value, i) => value * factor[Math.floor(i / classes)]);
  const shifted = Float64Array.from(bias);
  weight.forEach((value, i) => {
    const j = Math.floor(i / classes);
    shifted[i % classes] -= value * factor[j] * mean[j];
  });
  return { weight: scaled, bias: Float32Array.from(shifted) };
}
