import { Command, Option } from 'commander';
import { usage } from '../core/errors.js';
import { packageVersion } from '../core/version.js';
import { refuseGiven } from './options/given.js';
import { type ModelOptions, modelOptions, requireModel, startModel } from './options/model-options.js';
import {
  type EngineOptions,
  engineOptions,
  examples,
  type OutputOptions,
  outputOptions,
  positiveInteger,
  positiveNumber,
  ranges,
  wholeNumber,
} from './options/options.js';
import { checkOutputFile, refuseFileName } from './options/output-file.js';
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
      new Option('--count <n>', 'number of images, with seeds from --seed on').argParser(positiveInteger).default(64),
    )
    .addOption(new Option('--seeds <list>', 'seeds, such as 0,4-9').argParser(ranges).conflicts(['count', 'seed']))
    .option('--seed <n>', 'first seed', wholeNumber, 0)
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
    .option('--columns <n>', 'columns of a sheet (default: as square as possible)', positiveInteger)
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
  if (options.out === undefined) throw usage('--out is missing: a folder, a .png, an .npy or -');
  if (options.truncation !== undefined && options.truncation < 0.01) {
    throw usage(`expected 0.01 or more for --truncation, got ${options.truncation}`);
  }
  if (!/\.png$/i.test(options.out)) refuseGiven(command, ['--columns'], 'needs --out FILE.png', 'it is for a sheet');
  const isFile = /\.(png|npy)$/i.test(options.out);
  if (!isFile) refuseFileName(options.out, 'a folder, a .png, an .npy or -');
  const started = Date.now();
  const report = createReport(options);
  const seeds = options.seeds ?? Array.from({ length: options.count }, (_, i) => options.seed + i);
  if (seeds.some((seed) => seed > 0x7fffffff)) throw usage('seeds go up to 2147483647');

  const { checkImageSink, openImageSink } = await import('../core/data/images/image-sink.js');
  const { describeModel } = await import('../core/trained/open-model.js');
  const { output, classes } = await describeModel(options);
  if (options.class !== undefined && (classes === 1 || options.class >= classes)) {
    const valid = classes > 1 ? `classes 0 to ${classes - 1}` : 'no classes to choose from';
    throw usage(`expected another --class, got ${options.class}`, `the model has ${valid}`);
  }
  await (isFile ? checkOutputFile : checkImageSink)(options.out, options.force);
  const { generateImages } = await import('../core/trained/generate-images.js');
  const { engine, model } = await startModel(options, report);
  if (options.standingStatistics !== undefined && !model.takeGeneratorStatistics) {
    throw usage("--standing-statistics does not go with an autoencoder, whose statistics are of E's latents");
  }
  const sink = await openImageSink(options.out, {
    count: seeds.length,
    ...output,
    columns: options.columns,
    force: options.force,
    name: (i) => `seed${String(seeds[i]).padStart(4, '0')}.png`,
    stdout: writeStdout,
  });
  const progress = report.progress('generate', seeds.length);
  let done = 0;
  try {
    for await (const images of generateImages(engine, model, { seeds, label: options.class, ...options })) {
      await sink.append(images);
      done += Math.min(options.batchSize, seeds.length - done);
      progress.update(done);
    }
    await sink.close();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  progress.stop();
  if (options.out === '-') return;
  report.result(
    {
      out: options.out,
      count: seeds.length,
      seeds: options.seeds ?? [options.seed, options.seed + options.count - 1],
      class: options.class ?? null,
      truncation: options.truncation ?? null,
      ...model.provenance,
      version: packageVersion,
      seconds: (Date.now() - started) / 1000,
    },
    options.out,
  );
}

/** Waits while the reader of a pipe is slow, so that memory stays bounded. */
function writeStdout(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
