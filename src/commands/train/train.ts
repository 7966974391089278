import { Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../../core/config/config.js';
import { presetNames } from '../../core/config/presets.js';
import type { Dataset } from '../../core/data/dataset/dataset.js';
import { DamagedFile, usage } from '../../core/errors.js';
import { imageResolution } from '../../core/model/config.js';
import { ON_NAN, type OnNan } from '../../core/train/on-nan.js';
import { executionOptions } from '../options/model-options.js';
import {
  type EngineOptions,
  engineOptions,
  examples,
  type OutputOptions,
  outputOptions,
  positiveInteger,
  wholeNumber,
} from '../options/options.js';
import { createReport, type Report } from '../report.js';
import { duration, type Stopping, watchStopping } from '../stopping.js';
import {
  checkEvaluationOptions,
  describeEvaluation,
  EVALUATIONS,
  type EvaluationOptions,
  evaluationOptions,
  type OpenEvaluation,
  openEvaluation,
} from './evaluation-options.js';
import { describeEstimate, describeStep } from './train-report.js';
import { overrides, type SettingOptions } from './train-settings.js';

interface TrainOptions extends OutputOptions, EngineOptions, SettingOptions, EvaluationOptions {
  data?: string;
  logEvery: number;
  sampleEvery: number;
  checkpointEvery: number;
  keep: number;
  tensorboard: boolean;
  onNan: OnNan;
  timeLimit?: number;
  dryRun?: boolean;
  listPresets?: boolean;
}

const MICROBATCHES =
  '--microbatch N computes each batch N images at a time and adds up their gradients before the one update, so that a ' +
  'step takes the memory of N images. N divides the batch size. It is not quite the same training: batch norm takes its ' +
  'mean and variance over N images, not over the batch. What the log reports are means over the microbatches.\n\n';

export function trainCommand(): Command {
  const command = new Command('train')
    .summary('train G, D and E on a dataset; the same command again continues')
    .description(
      'Train a BigBiGAN. The run folder gets the resolved config, a log, sample sheets and checkpoints that hold ' +
        'everything needed to continue. Running the same command again continues from the last checkpoint, to the same ' +
        'end as without a break; a finished run is left alone. With another --steps the learning rates fall towards that ' +
        'step from there on, where the settings have them fall. Ctrl-C saves a checkpoint and exits with 130. One process ' +
        'at a time trains a run. A checkpoint that turns out to be damaged is put aside and the one before it is used.\n\n' +
        MICROBATCHES +
        EVALUATIONS,
    )
    .option('--data <dir>', 'dataset made by prep-data')
    .option('--run <dir>', 'folder of the run')
    .option(
      '--preset <name>',
      'named settings to start from (default: those of --config, of the run where it goes on, or mnist)',
    )
    .option('--list-presets', 'print the names of the presets, one a line, and exit')
    .option(
      '--config <file>',
      'JSON file with settings that differ from the preset, or all of them: the config.json of a run, or what --dry-run --json printed',
    )
    .option(
      '--set <key=value>',
      'one setting, such as train.batchSize=32, lists with commas; may be repeated; settings.md in the documentation has them all',
      collect,
    )
    .option('--steps <n>', 'total number of steps', wholeNumber)
    .option('--batch-size <n>', 'images a step', positiveInteger)
    .option(
      '--microbatch <n>',
      'images computed at a time, to save memory, of which batch norm sees no more (default: the whole batch)',
      positiveInteger,
    )
    .option('--seed <n>', 'seed of everything random', wholeNumber)
    .option('--classes <n>', 'labels of the dataset to condition G and D on; 1 for none', positiveInteger)
    .option('--objective <scores>', 'scores in the objective: xz,x,z or fewer', (text: string) => text.split(','))
    .option('--log-every <n>', 'steps between lines of log.jsonl', positiveInteger, 50)
    .option('--sample-every <n>', 'steps between sheets of samples and reconstructions', positiveInteger, 500)
    .option('--checkpoint-every <n>', 'steps between checkpoints', positiveInteger, 500)
    .option(
      '--keep <n>',
      'newest checkpoints to keep, or all; older ones are deleted after a new one is written',
      keepCount,
      3,
    )
    .option(
      '--no-tensorboard',
      'write no events for TensorBoard (default: events of the log and the sheets, in the run folder)',
    )
    .addOption(
      new Option(
        '--on-nan <what>',
        'when a loss, gradient or weight is not finite: stop, or go back to the last checkpoint and try other random numbers',
      )
        .choices(ON_NAN)
        .default('stop'),
    )
    .option(
      '--time-limit <time>',
      'save and exit with 0 after so long, such as 90s, 30m or 2h (default: none)',
      duration,
    )
    .option(
      '--dry-run',
      'print the resolved config, parameters, memory and arithmetic of a step, and exit; images of --data must fit',
    );
  outputOptions(engineOptions(executionOptions(evaluationOptions(command)))).action(train);
  return examples(command, [
    'bigbigan train --data mnist --run runs/mnist --preset mnist --steps 1000',
    'bigbigan train --data mnist --run runs/mnist --time-limit 2h     # again and again, until it is finished',
    'bigbigan train --data mnist --run runs/mnist --eval-every 500 --select probe --patience 10',
    'bigbigan train --data imagenet --run runs/base --preset base --microbatch 32     # batch 2048 in the memory of 32',
    'bigbigan train --preset mnist --set train.learningRate.encoder=5e-4 --dry-run --json',
    'bigbigan train --data mnist --run runs/bigan --objective xz     # no unary terms, as BiGAN',
  ]);
}

function keepCount(text: string): number {
  if (text === 'all') return Infinity;
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected a whole number of 1 or more, or all.');
  return Number(text);
}

const collect = (value: string, previous: string[] = []) => [...previous, value];

async function train(options: TrainOptions, command: Command): Promise<void> {
  if (options.listPresets) {
    process.stdout.write(`${presetNames.join('\n')}\n`);
    return;
  }
  checkEvaluationOptions(options, command);
  const { resolveConfig } = await import('../../core/config/resolve.js');
  const config = resolveConfig(await overrides(options));
  if (options.eager) config.train.precision = 'float32';
  const earlier = options.run === undefined ? undefined : await earlierSettings(options.run, config);
  if (options.dryRun) {
    if (options.data !== undefined) await (await openData(options.data, config, earlier && options.run)).close();
    const { estimateRun } = await import('../../core/train/estimate.js');
    const estimate = estimateRun(config);
    createReport(options).result({ ...config, ...estimate }, describeEstimate(config, estimate));
    return;
  }
  const data = required(options.data, '--data', 'the folder that bigbigan prep-data made');
  const run = required(options.run, '--run', 'the folder that gets the checkpoints');
  await continueOrStart({ data, run, config, earlier, options });
}

/** Of a run that is there already. @throws UserError when it was begun with others */
async function earlierSettings(run: string, config: Config): Promise<Config | undefined> {
  const { readRunConfig } = await import('../../core/run/run-folder.js');
  const { checkSameRun } = await import('../../core/run/checks.js');
  const earlier = await readRunConfig(run);
  if (earlier) checkSameRun(run, earlier, config);
  return earlier;
}

/** The images to train on. @throws UserError when they do not fit, or are not those that `earlierRun` was begun with */
async function openData(data: string, config: Config, earlierRun: string | undefined): Promise<Dataset> {
  const { openDataset } = await import('../../core/data/dataset/dataset.js');
  const { checkData } = await import('../../core/run/checks.js');
  const { checkSameData } = await import('../../core/run/run-data.js');
  const dataset = await openDataset(data, {
    resolution: imageResolution(config.model),
    channels: config.model.channels as 1 | 3,
  });
  checkData(dataset, config);
  if (earlierRun !== undefined) await checkSameData(earlierRun, dataset);
  return dataset;
}

function required(value: string | undefined, option: string, what: string): string {
  if (value === undefined) throw usage(`${option} is missing: ${what}`);
  return value;
}

interface Training {
  data: string;
  run: string;
  config: Config;
  earlier: Config | undefined;
  options: TrainOptions;
}

async function continueOrStart({ data, run, config, earlier, options }: Training): Promise<void> {
  const report = createReport(options);
  const stopping = watchStopping({ note: report.note, timeLimit: options.timeLimit });
  const { acquireLock } = await import('../../core/run/lock.js');
  const { listCheckpoints, makeRunFolder, runFolder } = await import('../../core/run/run-folder.js');
  const { leavesSchedule } = await import('../../core/train/step/schedule.js');
  const dataset = await openData(data, config, earlier && run);
  const evaluation = await openEvaluation(options, { run, config, dataset });
  const finished = await finishedAt(run, config, options);
  if (finished) {
    const { step, path, stoppedEarly, best } = finished;
    report.note(describeFinished(run, step, config.train.steps));
    report.result(
      { run, step, steps_run: 0, finished: true, stopped_early: stoppedEarly, best, checkpoint: path },
      path,
    );
    await evaluation?.close();
    return;
  }

  const done = earlier && (await listCheckpoints(run)).at(-1)?.step;
  if (earlier && leavesSchedule(done ?? 0, earlier.train, config.train)) {
    const [before, now] = [earlier, config].map(({ train }) => train.steps);
    report.warn(
      `learning rates fell towards step ${before} so far and fall towards ${now} from here: not what a run of ${now} steps does`,
    );
  }
  await makeRunFolder(run);
  const lock = acquireLock(runFolder(run).lock, `the run ${run}`);
  process.once('exit', lock.release);
  try {
    if (evaluation?.leftOut) report.note(evaluation.leftOut);
    await trainRun({ data, run, config, dataset, evaluation, options, report, stopping });
  } finally {
    lock.release();
    await evaluation?.close();
    await dataset.close();
    stopping.done();
  }
}

function describeFinished(run: string, step: number, steps: number): string {
  if (step < steps) return `${run} has stopped at step ${step} as --patience says; without --patience it trains on`;
  if (step > steps)
    return `${run} has been trained for ${step} steps, more than the ${steps} asked for: nothing is done`;
  return `${run} has finished its ${steps} steps; --steps N trains on`;
}

/**
 * The newest checkpoint, if it is sound, and of the last step, a later one, or one where evaluations had not improved
 * for long enough. Undefined where there is something left to do, be it the evaluation of the last step.
 */
async function finishedAt(run: string, config: Config, options: TrainOptions) {
  const { listCheckpoints, runFolder } = await import('../../core/run/run-folder.js');
  const { verifyCheckpoint } = await import('../../core/run/checkpoint.js');
  const newest = (await listCheckpoints(run)).at(-1);
  if (!newest) return undefined;
  const { evaluationsUntil } = await import('../../core/train/evaluation/evaluations.js');
  const { evaluated, exhausted, best } = await evaluationsUntil(runFolder(run), newest.step, options);
  const stoppedEarly = newest.step < config.train.steps;
  if (stoppedEarly && !exhausted) return undefined;
  if (newest.step === config.train.steps && options.evalEvery > 0 && !evaluated) return undefined;
  return verifyCheckpoint(newest.path).then(
    () => ({ ...newest, stoppedEarly, best }),
    (error: unknown) => {
      // Training finds out which one is sound.
      if (error instanceof DamagedFile) return undefined;
      throw error;
    },
  );
}

interface RunToTrain {
  data: string;
  run: string;
  config: Config;
  dataset: Dataset;
  evaluation: OpenEvaluation | undefined;
  options: TrainOptions;
  report: Report;
  stopping: Stopping;
}

async function trainRun({
  data,
  run,
  config,
  dataset,
  evaluation,
  options,
  report,
  stopping,
}: RunToTrain): Promise<void> {
  const started = Date.now();
  const { startEngine } = await import('../../core/backend/engine.js');
  const { trainLoop } = await import('../../core/train/loop.js');
  const { beginRun, runFolder } = await import('../../core/run/run-folder.js');
  const { recordData } = await import('../../core/run/run-data.js');
  const engine = await startEngine(options);
  const evaluationSettings = await evaluation?.start(engine);
  await beginRun(run, config);
  await recordData(run, dataset);
  const { precision, steps } = config.train;
  report.note(`training to step ${steps} in ${options.eager ? 'float32, op by op' : precision}`);
  const { precisionWarning } = await import('../../core/backend/precision.js');
  const slow = precisionWarning(precision);
  if (slow) report.warn(slow);
  const progress = report.progress('train', config.train.steps);
  const result = await trainLoop({
    engine,
    execution: options.eager ? 'eager' : 'traced',
    config,
    dataset,
    folder: runFolder(run),
    logEvery: options.logEvery,
    sampleEvery: options.sampleEvery,
    checkpointEvery: options.checkpointEvery,
    keep: options.keep,
    onNan: options.onNan,
    tensorboard: options.tensorboard,
    evaluation: evaluationSettings,
    stopped: () => stopping.reason() !== undefined,
    on: (event) => {
      if (event.kind === 'damaged') report.warn(`${event.problem}; it is now ${event.path}`);
      if (event.kind === 'resumed') report.note(`continuing from step ${event.step} (${event.checkpoint})`);
      if (event.kind === 'evaluated')
        report.note(describeEvaluation(event.line, event.best ? options.select : undefined));
      if (event.kind === 'warning') report.warn(`step ${event.step}: ${event.message}`);
      if (event.kind !== 'step') return;
      stopping.savable();
      progress.update(event.step, describeStep(event.values, event.imagesPerSecond));
    },
  });
  progress.stop();
  if (!result.finished && stopping.reason() === 'time limit') {
    report.note(
      `the time limit is reached at step ${result.step} of ${config.train.steps}; the same command continues`,
    );
  }
  if (result.stoppedEarly)
    report.note(`stopped at step ${result.step}: ${options.patience} evaluations were no better by ${options.select}`);
  report.result(
    {
      run,
      data,
      data_digest: dataset.digest,
      preset: config.preset,
      seed: config.seed,
      precision: config.train.precision,
      step: result.step,
      steps_run: result.stepsRun,
      seconds_per_step: result.secondsPerStep,
      finished: result.finished,
      stopped_early: result.stoppedEarly,
      best: result.best,
      checkpoint: result.checkpoint,
      tensorflow: engine.tensorflow,
      seconds: (Date.now() - started) / 1000,
    },
    result.checkpoint,
  );
  const code = stopping.exitCode();
  if (code !== undefined) process.exitCode = code;
}
