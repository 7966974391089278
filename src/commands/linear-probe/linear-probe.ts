/** `bigbigan linear-probe`: what a linear classifier makes of frozen features. */
import { Command, Option } from 'commander';
import type { Engine } from '../../core/backend/engine.js';
import type { ProbeQuestion } from '../../core/evaluation/probe/probe.js';
import type { ProbeAnswer } from '../../core/evaluation/probe/probe-result.js';
import { versions } from '../../core/version.js';
import {
  engineOptions,
  examples,
  fraction,
  nonNegativeNumbers,
  outputOptions,
  positiveInteger,
  positiveNumber,
  ranges,
  wholeNumber,
} from '../options/options.js';
import { createReport, type Report } from '../report.js';
import { AUGMENTATION, augmentation, augmentOptions } from './augment-options.js';
import { checkProbeOptions, type ProbeOptions } from './linear-probe-checks.js';

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
    .addOption(new Option('--solver <name>', 'how to train').choices(['adam', 'sgd', 'lbfgs']).default('adam'))
    .addOption(
      new Option('--learning-rates <list>', 'learning rates to try (adam, sgd)')
        .argParser(nonNegativeNumbers)
        .default([1e-4, 3e-4, 1e-3, 3e-3, 1e-2], '1e-4,3e-4,1e-3,3e-3,1e-2'),
    )
    .addOption(
      new Option('--penalties <list>', 'factors of half the squared weights to try')
        .argParser(nonNegativeNumbers)
        .default([0, 1e-5, 1e-4, 1e-3, 1e-2], '0,1e-5,1e-4,1e-3,1e-2'),
    )
    .option('--steps <n>', 'batches to train on (adam, sgd)', positiveInteger, 5000)
    .addOption(
      new Option('--epochs <n>', 'passes over the training rows, instead of --steps (adam, sgd)')
        .argParser(positiveInteger)
        .conflicts('steps'),
    )
    .option('--batch-size <n>', 'rows in a batch (adam, sgd)', positiveInteger, 256)
    .addOption(
      new Option('--schedule <name>', 'of the learning rates: to 0 along half a cosine, or constant (adam, sgd)')
        .choices(['cosine', 'constant'])
        .default('cosine'),
    )
    .option(
      '--average <decay>',
      'use the moving average of the weights (adam, sgd); 0.9999 in the paper (default: 0, none)',
      fraction,
      0,
    )
    .option('--iterations <n>', 'most iterations for one penalty (lbfgs)', positiveInteger, 500)
    .option(
      '--tolerance <x>',
      'a penalty is done when no entry of the gradient is larger (lbfgs)',
      positiveNumber,
      1e-4,
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
        .default([0], '0')
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
  const report = createReport(options);
  await checkProbeOptions(options, command);
  const { startEngine } = await import('../../core/backend/engine.js');
  let engine: Engine | undefined;
  const start = async () => (engine ??= await startEngine(options));
  if (options.apply) {
    const { applyClassifier } = await import('../../core/evaluation/probe/apply-classifier.js');
    const started = performance.now();
    const { result, ...matrix } = await applyClassifier(
      start,
      options.apply,
      options.test![0],
      options.feature,
      report.warn,
    );
    const summary = { ...result, seconds: (performance.now() - started) / 1000, versions: versions(engine!) };
    report.result(summary, text(summary));
    await saveConfusion(options, matrix, report);
    return;
  }
  const pairs = options.train!.map((train, i) => ({ train, test: options.test![i] }));
  const questions = pairs.flatMap((pair) =>
    options.seeds.map((seed) => ({ ...distinct(options), ...pair, seed, augment: augmentation(options) })),
  );
  if (questions.length === 1) return trainOne(start, questions[0], options, report);
  const runs: Summary[] = [];
  for (const [i, question] of questions.entries()) {
    const which = `run ${i + 1} of ${questions.length}: ${question.train} → ${question.test}, seed ${question.seed}`;
    report.note(which);
    const { summary } = await answer(start, question, report);
    report.note(`${which}: ${text(summary)}`);
    runs.push(summary);
  }
  const { spread } = await import('../../core/metrics/spread.js');
  const [top1, top5] = [spread(runs.map((run) => run.top1)), spread(runs.map((run) => run.top5))];
  report.result(
    { top1: top1.mean, top1_std: top1.std, top5: top5.mean, top5_std: top5.std, runs },
    `top-1 ${percent(top1.mean)} ± ${(100 * top1.std).toFixed(2)}, top-5 ${percent(top5.mean)} ± ${(100 * top5.std).toFixed(2)} over ${runs.length} runs`,
  );
}

/** Without values that are named twice, which would be trained twice. */
function distinct<O extends Pick<ProbeOptions, 'learningRates' | 'penalties'>>(options: O): O {
  return { ...options, learningRates: [...new Set(options.learningRates)], penalties: [...new Set(options.penalties)] };
}

interface Summary {
  top1: number;
  top5: number;
  [key: string]: unknown;
}

/** The result comes first: what is saved after it may fail, on a full disk for instance. */
async function trainOne(
  start: () => Promise<Engine>,
  question: ProbeQuestion,
  options: ProbeOptions,
  report: Report,
): Promise<void> {
  const { summary: result, classifier, ...matrix } = await answer(start, question, report);
  const { out } = options;
  const summary = { ...result, out };
  report.result(summary, text(summary));
  if (out) {
    const { writeClassifier } = await import('../../core/evaluation/probe/classifier-file.js');
    await writeClassifier(out, { ...classifier, result: summary });
    report.path(out);
  }
  await saveConfusion(options, matrix, report);
}

/** One classifier, from one pair of folders and one seed. */
async function answer(start: () => Promise<Engine>, question: ProbeQuestion, report: Report) {
  const started = performance.now();
  const { runProbe } = await import('../../core/evaluation/probe/probe.js');
  let progress: ReturnType<Report['progress']> | undefined;
  const { result, ...others } = await runProbe(start, question, {
    note: report.note,
    warn: report.warn,
    progress: (done, total, words) =>
      (progress ??= report.progress(question.solver === 'lbfgs' ? 'fits' : 'steps', total)).update(done, words),
  });
  progress?.stop();
  const summary: Summary = {
    ...result,
    seconds: (performance.now() - started) / 1000,
    versions: versions(await start()),
  };
  return { summary, ...others };
}

async function saveConfusion(
  { confusionOut }: ProbeOptions,
  { confusion, classes }: Pick<ProbeAnswer, 'confusion' | 'classes'>,
  report: Report,
): Promise<void> {
  if (!confusionOut) return;
  const { writeConfusion } = await import('../../core/evaluation/probe/confusion-file.js');
  await writeConfusion(confusionOut, confusion, classes);
  report.path(confusionOut);
}

function text(summary: Summary): string {
  const { top1, top5, best, test } = summary as Summary & {
    best?: { learning_rate?: number; penalty: number };
    test: { rows: number };
  };
  const rate = best?.learning_rate === undefined ? '' : `learning rate ${best.learning_rate}, `;
  const how = best ? ` (${rate}penalty ${best.penalty})` : '';
  return `top-1 ${percent(top1)}, top-5 ${percent(top5)} of ${test.rows} rows${how}`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}
