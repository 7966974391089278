/** `bigbigan linear-probe`: what a linear classifier makes of frozen features. */
import { Command, Option } from 'commander';
import { join } from 'node:path';
import type { Features } from '../core/data/features.js';
import type { LabelledRows, ProbeResult } from '../core/metrics/linear-probe.js';
import type { Standardisation } from '../core/metrics/rows.js';
import { expected, usage } from '../core/errors.js';
import {
  engineOptions,
  examples,
  nonNegativeNumbers,
  outputOptions,
  positiveInteger,
  wholeNumber,
  type EngineOptions,
  type OutputOptions,
} from './options.js';
import { checkOutputFile } from './output-file.js';
import { createReport } from './report.js';
import { versions } from './versions.js';

interface ProbeOptions extends OutputOptions, EngineOptions {
  train: string;
  test: string;
  feature: string;
  learningRates: number[];
  penalties: number[];
  steps: number;
  epochs?: number;
  batchSize: number;
  holdout?: number;
  seed: number;
  out?: string;
  force?: boolean;
}

const LARGEST_HOLDOUT = 10_000;

export function linearProbeCommand(): Command {
  const command = new Command('linear-probe')
    .summary('train and test a linear classifier on features')
    .description(
      'Trains multinomial logistic regression on the training features, which stay as they are, and prints the ' +
        'fraction of test rows that it classifies right. Features are standardised by the training rows; weights start ' +
        'at 0; Adam on random batches, with a learning rate that falls to 0. One classifier for each learning rate and ' +
        'penalty is trained, all in one pass. The one with the lowest loss on held-out training rows is trained anew on ' +
        'all training rows and tested; the test rows take no part in any choice.',
    )
    .requiredOption('--train <folder>', 'features folder to train on; needs labels.npy')
    .requiredOption('--test <folder>', 'features folder to test on; needs labels.npy')
    .option(
      '--feature <name>',
      'which .npy of the folders to use; bn_crelu is computed from avepool where there is no such file',
      'avepool',
    )
    .addOption(
      new Option('--learning-rates <list>', 'learning rates to try')
        .argParser(nonNegativeNumbers)
        .default([1e-4, 3e-4, 1e-3, 3e-3, 1e-2], '1e-4,3e-4,1e-3,3e-3,1e-2'),
    )
    .addOption(
      new Option('--penalties <list>', 'factors of half the squared weights to try')
        .argParser(nonNegativeNumbers)
        .default([0, 1e-5, 1e-4, 1e-3, 1e-2], '0,1e-5,1e-4,1e-3,1e-2'),
    )
    .option('--steps <n>', 'batches to train on', positiveInteger, 5000)
    .addOption(new Option('--epochs <n>', 'passes over the training rows, instead of --steps').argParser(positiveInteger).conflicts('steps'))
    .option('--batch-size <n>', 'rows in a batch', positiveInteger, 256)
    .option('--holdout <n>', 'random training rows that choose the classifier (default: a tenth, at most 10,000)', wholeNumber)
    .option('--seed <n>', 'seed of the held-out rows and of the batches', wholeNumber, 0)
    .option('--out <file>', 'also save the classifier as .safetensors: weight, bias, classes')
    .option('--force', 'replace an existing --out file')
    .action(probe);
  engineOptions(command);
  outputOptions(command);
  return examples(command, [
    'bigbigan linear-probe --train train-features --test test-features',
    'bigbigan linear-probe --train train-features --test test-features --feature bn_crelu --json',
    'bigbigan linear-probe --train a --test b --learning-rates 0.01 --penalties 0 --epochs 20 --out probe.safetensors',
  ]);
}

async function probe(options: ProbeOptions): Promise<void> {
  const started = performance.now();
  const report = createReport(options);
  const { learningRates, penalties, batchSize, seed, out } = options;
  if (learningRates.some((rate) => rate === 0)) throw usage('expected numbers above 0 for --learning-rates, got 0');
  if (out) await checkOutputFile(out, options.force);
  const { train, test, bn } = await openSets(options);
  const holdout = checkHoldout(options, train.source.rows);
  const { length: classes } = checkLabels(train, test, report.warn);

  const { startEngine } = await import('../core/backend/engine.js');
  const { linearProbe } = await import('../core/metrics/linear-probe.js');
  const engine = await startEngine(options);
  const steps = options.epochs ? Math.ceil((options.epochs * train.rows.rows) / batchSize) : options.steps;
  const progress = report.progress('steps', holdout > 0 ? 2 * steps : steps);
  const result = await linearProbe(engine, {
    train: train.rows,
    test: test.rows,
    learningRates,
    penalties,
    steps,
    batchSize,
    holdout,
    seed,
    onStep: (step) => progress.update(step),
  });
  progress.stop();
  await Promise.all([train.source.close(), test.source.close()]);

  const heads = result.heads.map(describeHead);
  const best = heads[result.best];
  const accuracy = { top1: result.test.top1 / result.test.rows, top5: result.test.top5 / result.test.rows };
  const describe = ({ source, rows }: LabelledSet) => ({ path: source.path, rows: rows.rows, width: rows.width, digest: source.digest });
  const summary = {
    ...accuracy,
    feature: options.feature,
    computed_from: bn && 'avepool',
    best,
    heads,
    train: describe(train),
    test: describe(test),
    classes,
    holdout,
    steps,
    batch_size: batchSize,
    seed,
    protocol: 'features without augmentation, standardised; Adam, cosine decay; chosen by held-out training rows, then trained on all',
    out,
    seconds: (performance.now() - started) / 1000,
    versions: versions(engine),
  };
  if (out) await saveClassifier(out, result, train.rows.width, summary, bn);
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  report.result(
    summary,
    `top-1 ${percent(accuracy.top1)}, top-5 ${percent(accuracy.top5)} of ${test.rows.rows} rows ` +
      `(learning rate ${best.learning_rate}, penalty ${best.penalty})`,
  );
  if (out) report.path(out);
}

interface LabelledSet {
  source: Features;
  rows: LabelledRows;
}

/** The two sets with equal columns, and how BN+CReLU was computed if it was. */
async function openSets({ train, test, feature }: ProbeOptions) {
  const { openFeatures } = await import('../core/data/features.js');
  const { exists } = await import('../core/formats/atomic.js');
  const computed = feature === 'bn_crelu' && !(await exists(join(train, 'bn_crelu.npy')));
  const open = (folder: string) => openFeatures(folder, computed ? 'avepool' : feature);
  const sources = { train: await open(train), test: await open(test) };
  for (const { path, labels } of Object.values(sources)) {
    if (!labels) throw expected('labels.npy', path, 'none', 'class numbers are needed: encode a labelled dataset, or save them with NumPy');
  }
  if (sources.train.width !== sources.test.width) {
    const wanted = `features of width ${sources.train.width} as in ${train}`;
    throw expected(wanted, test, `${sources.test.width}`, 'encode both with the same network');
  }
  const { bnCrelu, columnMoments, standardisation } = await import('../core/metrics/rows.js');
  const bn = computed ? standardisation(await columnMoments(sources.train)) : undefined;
  const labelled = (source: Features): LabelledSet => {
    const { rows, width, read } = bn ? bnCrelu(source, bn) : source;
    return { source, rows: { rows, width, read, labels: source.labels! } };
  };
  return { train: labelled(sources.train), test: labelled(sources.test), bn };
}

function checkHoldout({ holdout, learningRates, penalties }: ProbeOptions, rows: number): number {
  const choices = learningRates.length * penalties.length;
  const number = holdout ?? (choices > 1 ? Math.min(LARGEST_HOLDOUT, Math.ceil(rows / 10)) : 0);
  if (number >= rows) {
    throw usage(`expected fewer than the ${rows} training rows for --holdout, got ${number}`, 'some rows must be left to train on');
  }
  if (number === 0 && choices > 1) {
    throw usage(`--holdout 0 cannot choose among ${choices} classifiers`, 'give one --learning-rates and one --penalties');
  }
  return number;
}

/** The classes of the training rows; warns of those that only the test has. */
function checkLabels(train: LabelledSet, test: LabelledSet, warn: (message: string) => void): number[] {
  const classes = [...new Set(train.rows.labels)];
  if (classes.length < 2) throw expected('2 classes or more', `labels.npy in ${train.source.path}`, `${classes.length}`);
  const unknown = new Set(test.rows.labels.filter((label) => !classes.includes(label))).size;
  if (unknown > 0) {
    warn(`${unknown} classes of ${test.source.path} do not occur in ${train.source.path}; their rows count as wrong`);
  }
  return classes;
}

function describeHead({ learningRate, penalty, heldout }: ProbeResult['heads'][number]) {
  const known = heldout && {
    heldout_top1: heldout.top1 / heldout.rows,
    heldout_top5: heldout.top5 / heldout.rows,
    heldout_loss: heldout.loss / heldout.rows,
  };
  return { learning_rate: learningRate, penalty, ...known };
}

/** Scores of a row x are x·weight + bias; with `bn_mean` and `bn_factor`, x is first made from AvePool by BN+CReLU. */
async function saveClassifier(path: string, { classifier }: ProbeResult, width: number, summary: object, bn?: Standardisation) {
  const { writeSafetensors } = await import('../core/formats/safetensors.js');
  const { weight, bias, classes } = classifier;
  const tensors = new Map<string, { shape: number[]; data: Float32Array | Int32Array }>([
    ['weight', { shape: [width, classes.length], data: weight }],
    ['bias', { shape: [classes.length], data: bias }],
    ['classes', { shape: [classes.length], data: classes }],
  ]);
  if (bn) {
    tensors.set('bn_mean', { shape: [bn.mean.length], data: Float32Array.from(bn.mean) });
    tensors.set('bn_factor', { shape: [bn.factor.length], data: Float32Array.from(bn.factor) });
  }
  await writeSafetensors(path, tensors, { format: 'bigbigan linear probe 1', result: JSON.stringify(summary) });
}
