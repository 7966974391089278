import { Command, Option } from 'commander';
import { readFile } from 'node:fs/promises';
import { expected, usage } from '../core/errors.js';
import { TERMS, imageResolution } from '../core/model/config.js';
import type { Config } from '../core/train/config.js';
import { presetNames } from '../core/train/presets.js';
import type { Overrides } from '../core/train/resolve.js';
import { type ExecutionOptions, executionOptions } from './model-options.js';
import { type EngineOptions, type OutputOptions, engineOptions, examples, outputOptions, positiveInteger, wholeNumber } from './options.js';
import { createReport } from './report.js';

interface TrainOptions extends OutputOptions, EngineOptions, ExecutionOptions {
  data?: string;
  run?: string;
  preset: string;
  config?: string;
  set?: string[];
  steps?: number;
  batchSize?: number;
  seed?: number;
  classes?: number;
  objective?: string[];
  logEvery: number;
  sampleEvery: number;
  checkpointEvery: number;
  dryRun?: boolean;
  listPresets?: boolean;
}

export function trainCommand(): Command {
  const command = new Command('train')
    .summary('train G, D and E on a dataset; the same command again continues')
    .description(
      'Train a BigBiGAN. The run folder gets the resolved config, a log, sample sheets and checkpoints that hold\n' +
        'everything needed to continue. Running the same command again continues from the last checkpoint; a finished\n' +
        'run is left alone. Ctrl-C saves a checkpoint and exits with 130.',
    )
    .option('--data <dir>', 'dataset made by prep-data')
    .option('--run <dir>', 'folder of the run')
    .addOption(new Option('--preset <name>', 'named settings to start from').default('mnist'))
    .option('--list-presets', 'print the names of the presets, one a line, and exit')
    .option('--config <file>', 'JSON file with settings that differ from the preset')
    .option('--set <key=value>', 'one setting, such as train.batchSize=32; may be repeated', collect)
    .option('--steps <n>', 'total number of steps', wholeNumber)
    .option('--batch-size <n>', 'images a step', positiveInteger)
    .option('--seed <n>', 'seed of everything random', wholeNumber)
    .option('--classes <n>', 'labels of the dataset to condition G and D on; 1 for none', positiveInteger)
    .option('--objective <scores>', 'scores in the objective: xz,x,z or fewer', (text: string) => text.split(','))
    .option('--log-every <n>', 'steps between lines of log.jsonl', positiveInteger, 50)
    .option('--sample-every <n>', 'steps between sheets of samples and reconstructions', positiveInteger, 500)
    .option('--checkpoint-every <n>', 'steps between checkpoints', positiveInteger, 500)
    .option('--dry-run', 'print the resolved config, parameters, memory and arithmetic of a step, and exit');
  outputOptions(engineOptions(executionOptions(command))).action(async (options: TrainOptions) => train(options));
  return examples(command, [
    'bigbigan train --data mnist --run runs/mnist --preset mnist --steps 1000',
    'bigbigan train --preset mnist --set train.learningRate.encoder=5e-4 --dry-run --json',
    'bigbigan train --data mnist --run runs/bigan --objective xz     # no unary terms, as BiGAN',
  ]);
}

const collect = (value: string, previous: string[] = []) => [...previous, value];

async function train(options: TrainOptions): Promise<void> {
  if (options.listPresets) {
    process.stdout.write(`${presetNames.join('\n')}\n`);
    return;
  }
  const { resolveConfig } = await import('../core/train/resolve.js');
  const config = resolveConfig(await overrides(options));
  if (options.eager) config.train.precision = 'float32';
  if (options.dryRun) return dryRun(config, options);
  const data = required(options.data, '--data', 'the folder that bigbigan prep-data made');
  const run = required(options.run, '--run', 'the folder that gets the checkpoints');
  await continueOrStart(data, run, config, options);
}

async function overrides(options: TrainOptions): Promise<Overrides> {
  return {
    preset: options.preset,
    partial: options.config === undefined ? undefined : { values: await readConfigFile(options.config), source: options.config },
    settings: options.set,
    seed: options.seed,
    steps: options.steps,
    batchSize: options.batchSize,
    scores: options.objective,
    classes: options.classes,
    precision: options.precision,
    usualPrecision: await earlierPrecision(options.run),
  };
}

/** A run goes on in the arithmetic that it began with, whatever the machine. */
async function earlierPrecision(run: string | undefined) {
  if (run === undefined) return undefined;
  const { readRunConfig } = await import('../core/train/run-folder.js');
  return (await readRunConfig(run))?.train?.precision;
}

async function readConfigFile(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw expected('a readable file', '--config', `${path} (${error.code})`);
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw expected('JSON', path, (error as Error).message);
  }
}

function required(value: string | undefined, option: string, what: string): string {
  if (value === undefined) throw usage(`${option} is missing: ${what}`);
  return value;
}

const rounded = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 });
const gigabytes = (bytes: number) => `${rounded(bytes / 1e9)} GB`;

async function dryRun(config: Config, options: TrainOptions): Promise<void> {
  const { estimateRun } = await import('../core/train/estimate.js');
  const estimate = estimateRun(config);
  const lines = [
    ...Object.entries(estimate.parameters).map(([module, n]) => [module, `${n.toLocaleString('en')} parameters`]),
    ['state', `${gigabytes(estimate.state_bytes)}: weights, moving averages, statistics, optimizer`],
    ['activations', `${gigabytes(estimate.activation_bytes)} at a step's peak, estimated from shapes`],
    ['step', `${rounded(estimate.flops_per_step / 1e12)} TFLOP in convolutions and matrix products`],
  ].map(([name, text]) => `${name.padEnd(14)} ${text}`);
  createReport(options).result({ ...config, ...estimate }, [JSON.stringify(config, null, 2), ...lines].join('\n'));
}

async function continueOrStart(data: string, run: string, config: Config, options: TrainOptions): Promise<void> {
  const report = createReport(options);
  const { openDataset } = await import('../core/data/dataset.js');
  const { beginRun, listCheckpoints, readRunConfig, runFolder, writeConfig } = await import('../core/train/run-folder.js');
  const { checkData, checkSameRun } = await import('../core/train/checks.js');
  const started = Date.now();
  const dataset = await openDataset(data, { resolution: imageResolution(config.model), channels: config.model.channels as 1 | 3 });
  checkData(dataset, config);
  const earlier = await readRunConfig(run);
  if (earlier) checkSameRun(run, earlier, config);

  const newest = (await listCheckpoints(run)).at(-1);
  if (newest && newest.step >= config.train.steps) {
    report.note(`${run} has finished its ${config.train.steps} steps; --steps N trains on`);
    report.result({ run, step: newest.step, steps_run: 0, finished: true, checkpoint: newest.path }, newest.path);
    return;
  }

  const { startEngine } = await import('../core/backend/engine.js');
  const { trainLoop } = await import('../core/train/loop.js');
  const engine = await startEngine(options);
  if (earlier) await writeConfig(run, config);
  else await beginRun(run, config);

  report.note(`training ${config.train.steps} steps in ${options.eager ? 'float32, op by op' : config.train.precision}`);
  const interrupted = watchSignals(report.note);
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
    stopped: () => interrupted.signal !== undefined,
    on: (event) => {
      if (event.kind === 'resumed') report.note(`continuing from step ${event.step} (${event.checkpoint})`);
      if (event.kind === 'step') progress.update(event.step, describe(event.values, event.imagesPerSecond));
    },
  });
  progress.stop();
  await dataset.close();
  interrupted.done();
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
      checkpoint: result.checkpoint,
      tensorflow: engine.tensorflow,
      seconds: (Date.now() - started) / 1000,
    },
    result.checkpoint,
  );
  if (interrupted.signal) process.exitCode = interrupted.signal === 'SIGINT' ? 130 : 143;
}

/** The losses, each score's mean for (x, E(x)) and (G(z), z), and the speed. */
function describe(values: Record<string, number>, imagesPerSecond: number): string {
  const scores = TERMS
    .filter((term) => `score_${term}_encoder` in values)
    .map((term) => `s_${term} ${values[`score_${term}_encoder`].toFixed(2)}/${values[`score_${term}_generator`].toFixed(2)}`);
  const losses = Object.entries(values)
    .filter(([name]) => name.startsWith('loss_'))
    .map(([name, value]) => `L_${name.slice(5).toUpperCase()} ${value.toFixed(2)}`);
  return [
    ...losses,
    ...scores,
    `${imagesPerSecond.toFixed(0)} images/s`,
  ].join(' ');
}

/** The first SIGINT or SIGTERM asks to stop after the step; a second one ends the process. */
function watchSignals(note: (message: string) => void) {
  const state: { signal?: 'SIGINT' | 'SIGTERM'; done: () => void } = { done: () => {} };
  const handle = (signal: 'SIGINT' | 'SIGTERM') => {
    if (state.signal) process.exit(signal === 'SIGINT' ? 130 : 143);
    state.signal = signal;
    note(`${signal}: saving a checkpoint`);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  state.done = () => {
    process.off('SIGINT', handle);
    process.off('SIGTERM', handle);
  };
  return state;
}
