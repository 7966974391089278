import { Command, Option } from 'commander';
import { usage } from '../core/errors.js';
import { GENERATE_DEFAULTS } from '../core/trained/defaults.js';
import { requireModel } from '../core/trained/require-model.js';
import { interruptible } from './interruptible.js';
import { refuseGiven } from './options/given.js';
import { type ModelOptions, modelOptions, modelSettings } from './options/model-options.js';
import {
  type EngineOptions,
  engineOptions,
  examples,
  type OutputOptions,
  outputOptions,
  positiveInteger,
  positiveNumber,
  ranges,
  smallNumber,
  wholeNumber,
  wholeNumberIn,
} from './options/options.js';
import { createReport } from './report.js';

interface GenerateOptions extends ModelOptions, OutputOptions, EngineOptions {
  out?: string;
  count: number;
  seeds?: number[];
  seed: number;
  class?: number;
  truncation?: number;
  standingStatistics?: number;
  columns?: number;
  force?: boolean;
}

/** Their seeds are held in memory. */
const MOST_IMAGES = 10_000_000;

export function generateCommand(): Command {
  const command = new Command('generate')
    .summary('draw images from the generator')
    .description(
      'Generate images. Each image has a seed of its own, and the same seed gives the same image whatever the batch size ' +
        'or the other seeds. What is written follows from the name: DIR gets seed0004.png and so on, FILE.png one sheet, ' +
        'FILE.npy one uint8 array [n, height, width, channels], and - the same array as a stream on stdout.',
    )
    .option('--out <path>', 'folder, .png, .npy or -')
    .addOption(
      new Option('--count <n>', 'number of images, with seeds from --seed on')
        .argParser(wholeNumberIn(1, MOST_IMAGES))
        .default(GENERATE_DEFAULTS.count),
    )
    .addOption(new Option('--seeds <list>', 'seeds, such as 0,4-9').argParser(ranges).conflicts(['count', 'seed']))
    .option('--seed <n>', 'first seed', wholeNumber, GENERATE_DEFAULTS.seed)
    .option('--class <n>', 'class of all images, for a conditional model (default: drawn for each seed)', wholeNumber)
    .option(
      '--truncation <t>',
      'draw latent values again until they lie in [-t, t], from 0.01 on (default: none)',
      positiveNumber,
    )
    .addOption(
      new Option(
        '--standing-statistics <n>',
        "take batch norm's statistics anew over n batches (default: those of the checkpoint, but 16 batches with " +
          '--truncation); those of --model and of autoencoders are fixed',
      )
        .argParser(positiveInteger)
        .conflicts('model'),
    )
    .option('--columns <n>', 'columns of a sheet (default: as square as possible)', smallNumber)
    .option('--force', 'overwrite');
  outputOptions(engineOptions(modelOptions(command))).action(generate);
  return examples(command, [
    'bigbigan generate --run runs/mnist --out samples.png',
    'bigbigan generate --run runs/mnist --seeds 0,4-9 --truncation 0.7 --out samples/',
    'bigbigan generate --run runs/mnist --count 10000 --out - | bigbigan fid mnist-test - --extractor encoder:runs/mnist',
  ]);
}

async function generate(options: GenerateOptions, command: Command): Promise<void> {
  requireModel(options);
  const { out } = options;
  if (out === undefined) throw usage('--out is missing: a folder, a .png, an .npy or -');
  if (!/\.png$/i.test(out)) refuseGiven(command, ['--columns'], 'needs --out FILE.png', 'it is for a sheet');
  using report = createReport(options);
  const { generate } = await import('../core/trained/generate.js');
  const settings = { ...options, ...modelSettings(options), out, stdout: writeStdout };
  const result = await interruptible(report, (signal) =>
    generate(settings, { threads: options.threads, on: report.on, signal }),
  );
  if (out !== '-') report.result(result, out);
}

/** Waits while the reader of a pipe is slow, so that memory stays bounded. */
function writeStdout(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
