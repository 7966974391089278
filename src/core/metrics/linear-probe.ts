/** Linear probe: multinomial logistic regression on frozen features (BigBiGAN, section 4.1 and appendix A). */
import type { EagerExecutor } from '../backend/eager.js';
import { integerRandom, permutation } from '../data/random.js';
import { type Accuracy, addScores, noAccuracy } from './accuracy.js';
import { type Rows, type Standardisation, affine, chunks, columnMoments, standardisation } from './rows.js';
import { shuffledBatches } from './shuffled.js';
import { type Head, type SoftmaxHeads, createSoftmaxHeads } from './softmax-heads.js';

export interface LabelledRows extends Rows {
  labels: Int32Array;
}

export interface ProbeSettings {
  train: LabelledRows;
  test: LabelledRows;
  learningRates: readonly number[];
  penalties: readonly number[];
  steps: number;
  batchSize: number;
  /** Random training rows that choose the head while the others train; 0 when there is one head. */
  holdout: number;
  seed: number;
  onStep?(step: number, total: number): void;
}

export interface Classifier {
  /** [width, classes] */
  weight: Float32Array;
  /** [classes] */
  bias: Float32Array;
  /** Class number of each column, ascending. */
  classes: Int32Array;
}

export interface ProbeResult {
  /** Every head with its accuracy on the held-out rows. */
  heads: Array<Head & { heldout?: Accuracy }>;
  /** Which of them was chosen. */
  best: number;
  /** Accuracy of the chosen head on the test rows. */
  test: Accuracy;
  /** The chosen head, for features that are not standardised. */
  classifier: Classifier;
}

/**
 * Standardises the features by the training rows and trains a head for each learning rate and penalty, all on the
 * same batches, with rates that fall to 0 along half a cosine. The head that is best on the held-out rows is trained
 * anew on all training rows and tested.
 */
export async function linearProbe(engine: EagerExecutor, settings: ProbeSettings): Promise<ProbeResult> {
  const { train, test, learningRates, penalties, steps, batchSize, holdout, seed, onStep } = settings;
  const classes = Int32Array.from(new Set(train.labels)).sort();
  const columnOf = new Map(Array.from(classes, (label, column) => [label, column]));
  const column = (label: number) => columnOf.get(label) ?? -1;
  const scaling = standardisation(await columnMoments(train));
  const inputs = affine(train, scaling);
  const heldout = new Set(permutation(train.rows, integerRandom(seed, 0)).subarray(0, holdout));

  const grid = learningRates.flatMap((learningRate) => penalties.map((penalty) => ({ learningRate, penalty })));
  const total = holdout > 0 ? 2 * steps : steps;
  let done = 0;
  const trainHeads = async (heads: readonly Head[], skip: (row: number) => boolean): Promise<SoftmaxHeads> => {
    const trained = createSoftmaxHeads(engine, heads, train.width, classes.length);
    const batches = shuffledBatches(inputs, { batchSize, seed, skip });
    for (let step = 0; step < steps; step++) {
      const { data, rows } = (await batches.next()).value;
      const labels = Int32Array.from(rows, (row) => column(train.labels[row]));
      trained.step(data, labels, (1 + Math.cos((Math.PI * step) / steps)) / 2);
      onStep?.(++done, total);
    }
    return trained;
  };

  const scored = grid.map(noAccuracy);
  if (holdout > 0) {
    const heads = await trainHeads(grid, (row) => heldout.has(row));
    await forEachRow(inputs, grid.length * classes.length, (row) => heldout.has(row), (data, rows) =>
      addScores(scored, heads.scores(data), rows.map((row) => column(train.labels[row])), classes.length),
    );
    heads.dispose();
  }
  const best = bestOf(scored);
  const head = await trainHeads([grid[best]], () => false);

  const tested = noAccuracy();
  await forEachRow(affine(test, scaling), classes.length, () => true, (data, rows) =>
    addScores([tested], head.scores(data), rows.map((row) => column(test.labels[row])), classes.length),
  );
  const { weight, bias } = head.head(0);
  head.dispose();
  return {
    heads: grid.map((choice, i) => ({ ...choice, heldout: holdout > 0 ? scored[i] : undefined })),
    best,
    test: tested,
    classifier: { ...unstandardised(weight, bias, scaling), classes },
  };
}

/** The lowest cross-entropy: on few rows it tells heads apart better than the accuracy does. */
function bestOf(scored: readonly Accuracy[]): number {
  let best = 0;
  scored.forEach(({ loss }, i) => {
    if (loss < scored[best].loss || Number.isNaN(scored[best].loss)) best = i;
  });
  return best;
}

/** Hands over the wanted rows in pieces whose scores, `columns` a row, fit in memory. */
async function forEachRow(
  source: Rows,
  columns: number,
  wanted: (row: number) => boolean,
  use: (data: Float32Array, rows: Int32Array) => void,
): Promise<void> {
  const { width } = source;
  const size = Math.max(1, Math.floor(2 ** 24 / columns));
  for await (const { first, count, data } of chunks(source)) {
    const rows = Int32Array.from({ length: count }, (_, i) => first + i).filter(wanted);
    for (let at = 0; at < rows.length; at += size) {
      const piece = rows.slice(at, at + size);
      const picked = new Float32Array(piece.length * width);
      piece.forEach((row, i) => picked.set(data.subarray((row - first) * width, (row - first + 1) * width), i * width));
      use(picked, piece);
    }
  }
}

/** x·W' + b' = ((x - mean)·factor)·W + b */
function unstandardised(weight: Float32Array, bias: Float32Array, { mean, factor }: Standardisation) {
  const classes = bias.length;
  const scaled = weight.map((value, i) => value * factor[Math.floor(i / classes)]);
  const shifted = Float64Array.from(bias);
  weight.forEach((value, i) => {
    const j = Math.floor(i / classes);
    shifted[i % classes] -= value * factor[j] * mean[j];
  });
  return { weight: scaled, bias: Float32Array.from(shifted) };
}
