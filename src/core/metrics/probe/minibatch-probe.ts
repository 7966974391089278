/** Linear probe: multinomial logistic regression on frozen features (BigBiGAN, section 4.1 and appendix A). */
import type { EagerExecutor } from '../../backend/eager.js';
import { type Standardisation, scaled } from '../rows.js';
import { addScores, noAccuracy } from './accuracy.js';
import { forEachRow, type LabelledRows, testClassifier, unstandardised } from './classifier.js';
import { bestOf, type ChosenClassifier, probeData } from './probe-data.js';
import { type OrderSettings, type ProbeBatch, shuffledBatches } from './shuffled.js';
import { createSoftmaxHeads, type Head, type HeadSettings, type SoftmaxHeads } from './softmax-heads.js';

export type { Classifier, LabelledRows } from './classifier.js';

export interface ProbeSettings extends HeadSettings {
  train: LabelledRows;
  test: LabelledRows;
  learningRates: readonly number[];
  penalties: readonly number[];
  steps: number;
  batchSize: number;
  /** Learning rates fall to 0 along half a cosine, or stay; default cosine. */
  schedule?: 'cosine' | 'constant';
  /** Random training rows that choose the head while the others train; 0 when there is one head. */
  holdout: number;
  seed: number;
  /**
   * Training batches that replace those of `train`, with the same row numbers: features that are not standardised,
   * endless.
   */
  batches?(order: OrderSettings): AsyncGenerator<ProbeBatch>;
  onStep?(step: number, total: number): void;
}

/**
 * Standardises the features by the training rows and trains a head for each learning rate and penalty, all on the
 * same batches. The head that is best on the held-out rows is trained anew on all training rows and tested.
 */
export async function minibatchProbe(engine: EagerExecutor, settings: ProbeSettings): Promise<ChosenClassifier<Head>> {
  const {
    train,
    test,
    learningRates,
    penalties,
    steps,
    batchSize,
    holdout,
    seed,
    schedule = 'cosine',
    onStep,
  } = settings;
  const { classes, columns, scaling, inputs, heldout } = await probeData(train, holdout, seed);
  const grid = learningRates.flatMap((learningRate) => penalties.map((penalty) => ({ learningRate, penalty })));
  const total = holdout > 0 ? 2 * steps : steps;
  let done = 0;
  const trainHeads = async (heads: readonly Head[], skip: (row: number) => boolean): Promise<SoftmaxHeads> => {
    const trained = createSoftmaxHeads(engine, heads, train.width, classes.length, settings);
    const order = { batchSize, seed, skip };
    const batches = settings.batches ? standardised(settings.batches(order), scaling) : shuffledBatches(inputs, order);
    let step = 0;
    for await (const { data, rows } of batches) {
      const decay = schedule === 'cosine' ? (1 + Math.cos((Math.PI * step) / steps)) / 2 : 1;
      trained.step(
        data,
        Int32Array.from(rows, (row) => columns[row]),
        decay,
      );
      onStep?.(++done, total);
      if (++step === steps) break;
    }
    return trained;
  };

  const scored = grid.map(noAccuracy);
  if (holdout > 0) {
    const heads = await trainHeads(grid, heldout);
    await forEachRow(inputs, grid.length * classes.length, heldout, (data, rows) =>
      addScores(
        scored,
        heads.scores(data),
        rows.map((row) => columns[row]),
        classes.length,
      ),
    );
    heads.dispose();
  }
  const best = bestOf(scored);
  const head = await trainHeads([grid[best]], () => false);
  const { weight, bias } = head.head(0);
  head.dispose();
  const classifier = { ...unstandardised(weight, bias, scaling), classes };
  const { accuracy, confusion } = await testClassifier(engine, classifier, test);
  return {
    heads: grid.map((choice, i) => ({ ...choice, heldout: holdout > 0 ? scored[i] : undefined })),
    best,
    test: accuracy,
    confusion,
    classifier,
  };
}

async function* standardised(batches: AsyncIterable<ProbeBatch>, scaling: Standardisation): AsyncGenerator<ProbeBatch> {
  for await (const { data, rows } of batches) yield { data: scaled(data, scaling), rows };
}
