/** `bigbigan linear-probe`: what a linear classifier makes of frozen features. */
import { Command, Option } from 'commander';
import { PROBE_DEFAULTS } from '../../core/evaluation/probe/defaults.js';
import { SCHEDULES, SOLVERS } from '../../core/evaluation/probe/probe-question.js';
import { interruptible } from '../interruptible.js';
import {
  engineOptions,
  examples,
  fraction,
  nonNegativeNumbers,
  outputOptions,
  positiveInteger,
  positiveNumber,
  ranges,
  smallNumber,
  wholeNumber,
} from '../options/options.js';
import { createReport } from '../report.js';
import { AUGMENTATION, augmentation, augmentOptions } from './augment-options.js';
import { checkProbeOptions, choices, type ProbeOptions } from './linear-probe-options.js';
import { probeReport } from './linear-probe-report.js';

export function linearProbeCommand(): Command {
  const command = new Command('linear-probe')
    .summary('train and test a linear classifier on features')
    .description(
      'Trains multinomial logistic regression on the training features, which stay as they are, and prints the ' +
        'fraction of test rows that it classifies right. Features are standardised by the training rows; weights start ' +
        'at 0. The solvers adam and sgd go over random batches, with a classifier for each learning rate and penalty, all ' +
        'in one pass. The solver lbfgs finds the optimum for each penalty on all rows, without chance. What has ' +
        'the lowest loss on held-out training rows is trained anew on all training rows and tested; the test rows take no ' +
        'part in any choice. Files may be larger than memory. Several folders on both sides, or several seeds, give ' +
        'mean and standard deviation. ' +
        AUGMENTATION,
    )
    .option('--train <folders...>', 'features folder to train on; needs labels.npy')
    .option('--test <folders...>', 'features folder to test on; needs labels.npy')
    .option('--apply <file>', 'test a classifier that --out saved, and train nothing')
    .option(
      '--feature <name>',
      'which .npy of the folders to use; bn_crelu is computed from avepool where there is no such file, with mean and ' +
        'variance of the training rows (default: avepool, or what --apply was trained on)',
    )
    .addOption(new Option('--solver <name>', 'how to train').choices(SOLVERS).default(PROBE_DEFAULTS.solver))
    .addOption(
      new Option('--learning-rates <list>', 'learning rates to try (adam, sgd)')
        .argParser(nonNegativeNumbers)
        .default(PROBE_DEFAULTS.learningRates, '1e-4,3e-4,1e-3,3e-3,1e-2'),
    )
    .addOption(
      new Option('--penalties <list>', 'factors of half the squared weights to try')
        .argParser(nonNegativeNumbers)
        .default(PROBE_DEFAULTS.penalties, '0,1e-5,1e-4,1e-3,1e-2'),
    )
    .option('--steps <n>', 'batches to train on (adam, sgd)', positiveInteger, PROBE_DEFAULTS.steps)
    .addOption(
      new Option('--epochs <n>', 'passes over the training rows, instead of --steps (adam, sgd)')
        .argParser(positiveInteger)
        .conflicts('steps'),
    )
    .option('--batch-size <n>', 'rows in a batch (adam, sgd)', smallNumber, PROBE_DEFAULTS.batchSize)
    .addOption(
      new Option('--schedule <name>', 'of the learning rates: to 0 along half a cosine, or constant (adam, sgd)')
        .choices(SCHEDULES)
        .default(PROBE_DEFAULTS.schedule),
    )
    .option(
      '--average <decay>',
      'use the moving average of the weights (adam, sgd); 0.9999 in the paper (default: 0, none)',
      fraction,
      PROBE_DEFAULTS.average,
    )
    .option('--iterations <n>', 'most iterations for one penalty (lbfgs)', positiveInteger, PROBE_DEFAULTS.iterations)
    .option(
      '--tolerance <x>',
      'a penalty is done when no entry of the gradient is larger (lbfgs)',
      positiveNumber,
      PROBE_DEFAULTS.tolerance,
    )
    .option(
      '--state <file>',
      'keep the state of the work there twice a minute; the same command goes on from it (lbfgs)',
    )
    .option(
      '--holdout <n>',
      'random training rows that choose the classifier (default: a tenth, at most 10,000)',
      wholeNumber,
    )
    .addOption(
      new Option('--seed <n>', 'seed of the held-out rows and of the batches')
        .argParser(ranges)
        .default(PROBE_DEFAULTS.seeds, '0')
        .hideHelp(),
    )
    .addOption(
      new Option(
        '--seeds <list>',
        'seeds of the held-out rows and of the batches, such as 0,1,2 or 0-4; --seed is the same',
      )
        .argParser(ranges)
        .conflicts('seed'),
    )
    .option('--out <file>', 'also save the classifier as .safetensors: weight, bias, classes')
    .option(
      '--confusion-out <file>',
      'also save which classes (rows) are taken for which (columns): .png, or counts as .npy',
    )
    .option('--force', 'replace existing outputs')
    .action((options: Omit<ProbeOptions, 'seeds'> & { seed: number[]; seeds?: number[] }, command: Command) =>
      probe({ ...options, seeds: options.seeds ?? options.seed }, command),
    );
  augmentOptions(command);
  engineOptions(command);
  outputOptions(command);
  return examples(command, [
    'bigbigan linear-probe --train train-features --test test-features',
    'bigbigan linear-probe --train train-features --test test-features --feature bn_crelu --json',
    'bigbigan linear-probe --train a --test b --learning-rates 0.01 --penalties 0 --epochs 20 --out probe.safetensors',
    'bigbigan linear-probe --train a --test b --augment random-resized',
    "bigbigan linear-probe --train a --test b --augment random-resized --penalties 0 --steps 100000 --batch-size 2048 --average 0.9999   # the paper's",
    'bigbigan linear-probe --train a --test b --solver lbfgs --penalties 1e-2,1e-3,1e-4 --state probe-state.safetensors',
    'bigbigan linear-probe --apply probe.safetensors --test b --confusion-out confusion.png',
  ]);
}

async function probe(options: ProbeOptions, command: Command): Promise<void> {
  using report = createReport(options);
  const test = checkProbeOptions(options, command);
  const { linearProbe } = await import('../../core/evaluation/probe/linear-probe.js');
  const settings = { ...choices(options), test, augment: augmentation(options) };
  await interruptible(report, (signal) =>
    linearProbe(settings, { threads: options.threads, on: probeReport(report), signal }),
  );
  for (const path of [options.out, options.confusionOut]) if (path) report.path(path);
}
