import { Command, InvalidArgumentError, Option } from 'commander';
import { presetNames } from '../../core/config/presets.js';
import { usage } from '../../core/errors.js';
import { TRAIN_DEFAULTS } from '../../core/train/defaults.js';
import { ON_NAN, type OnNan } from '../../core/train/on-nan.js';
import { ExitCode } from '../exit-code.js';
import { executionOptions } from '../options/model-options.js';
import {
  type EngineOptions,
  engineOptions,
  examples,
  type OutputOptions,
  outputOptions,
  positiveInteger,
  repeated,
  smallNumber,
  wholeNumber,
} from '../options/options.js';
import { createReport } from '../report.js';
import { duration, type End, watchStopping } from '../stopping.js';
import {
  checkEvaluationOptions,
  EVALUATIONS,
  type EvaluationOptions,
  evaluationOptions,
  evaluationRequest,
} from './evaluation-options.js';
import { trainingText, trainReport } from './train-report.js';
import { runSettings, type SettingOptions } from './train-settings.js';

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

/** @param end ends the process where a signal is not to be waited for */
export function trainCommand(end: End): Command {
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
      repeated,
    )
    .option('--steps <n>', 'total number of steps', wholeNumber)
    .option('--batch-size <n>', 'images a step', smallNumber)
    .option(
      '--microbatch <n>',
      'images computed at a time, to save memory, of which batch norm sees no more (default: the whole batch)',
      positiveInteger,
    )
    .option('--seed <n>', 'seed of everything random', wholeNumber)
    .option('--classes <n>', 'labels of the dataset to condition G and D on; 1 for none', positiveInteger)
    .option('--objective <scores>', 'scores in the objective: xz,x,z or fewer', (text: string) => text.split(','))
    .option('--log-every <n>', 'steps between lines of log.jsonl', positiveInteger, TRAIN_DEFAULTS.logEvery)
    .option(
      '--sample-every <n>',
      'steps between sheets of samples and reconstructions',
      positiveInteger,
      TRAIN_DEFAULTS.sampleEvery,
    )
    .option('--checkpoint-every <n>', 'steps between checkpoints', positiveInteger, TRAIN_DEFAULTS.checkpointEvery)
    .option(
      '--keep <n>',
      'newest checkpoints to keep, or all; older ones are deleted after a new one is written',
      keepCount,
      TRAIN_DEFAULTS.keep,
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
        .default(TRAIN_DEFAULTS.onNan),
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
  outputOptions(engineOptions(executionOptions(evaluationOptions(command)))).action(
    (options: TrainOptions, command: Command) => train(options, command, end),
  );
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

async function train(options: TrainOptions, command: Command, end: End): Promise<void> {
  if (options.listPresets) {
    process.stdout.write(`${presetNames.join('\n')}\n`);
    return;
  }
  checkEvaluationOptions(options, command);
  using report = createReport(options);
  const settings = await runSettings(options);
  if (options.dryRun) {
    const dryRun = await import('../../core/train/describe-training.js');
    const description = await dryRun.describeTraining({ ...settings, data: options.data });
    report.result(description, trainingText(description));
    return;
  }
  const data = required(options.data, '--data', 'the folder that bigbigan prep-data made');
  const run = required(options.run, '--run', 'the folder that gets the checkpoints');
  using stopping = watchStopping({ end, note: report.note, timeLimit: options.timeLimit });
  const { train } = await import('../../core/train/train.js');
  const { logEvery, sampleEvery, checkpointEvery, keep, tensorboard, onNan, threads } = options;
  const intervals = { logEvery, sampleEvery, checkpointEvery, keep, tensorboard, onNan };
  const result = await train(
    { ...settings, data, run, ...intervals, evaluation: evaluationRequest(options) },
    { threads, signal: stopping.signal, on: trainReport(report, options.select, stopping.savable) },
  );
  if (!result.finished && stopping.reason() === 'time limit') {
    report.note(`the time limit is reached at step ${result.step} of ${result.steps}; the same command continues`);
  }
  if (result.stopped_early && 'seconds' in result) {
    report.note(`stopped at step ${result.step}: ${options.patience} evaluations were no better by ${options.select}`);
  }
  report.result(result, result.checkpoint);
  const code = stopping.exitCode();
  if (code !== undefined) throw new ExitCode(code);
}

function required(value: string | undefined, option: string, what: string): string {
  if (value === undefined) throw usage(`${option} is missing: ${what}`);
  return value;
}
