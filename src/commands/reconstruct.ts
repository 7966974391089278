import { Command } from 'commander';
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
  wholeNumber,
} from './options/options.js';
import { checkOutputFile } from './options/output-file.js';
import { createReport } from './report.js';

interface ReconstructOptions extends ModelOptions, OutputOptions, EngineOptions {
  data?: string;
  out?: string;
  limit: number;
  count: number;
  columns: number;
  sample?: boolean;
  seed: number;
  force?: boolean;
}

export function reconstructCommand(): Command {
  const command = new Command('reconstruct')
    .summary('encode images and generate them back: G(E(x))')
    .description(
      'Reconstruct images and report the relative pixel-wise L1 error: the mean of |x - G(E(x))| over the mean of ' +
        "|x' - G(E(x))| with another image x' of the set; and the same of L2, the Euclidean norm over an image (pixels 0 to 1). " +
        '1 means that the encoder says nothing about x. With --out, ' +
        'FILE.png gets a sheet with each row of originals above its reconstructions, FILE.npy the reconstructions as ' +
        "uint8 [n, height, width, channels]. Where E takes larger images than G gives, x is compared at G's size, each " +
        'pixel the mean of the 2x2 (or 4x4, ...) that it covers.',
    )
    .option('--data <images>', 'dataset, folder of images, .npy of uint8 images, or - for an .npy stream')
    .option('--out <file>', '.png or .npy (default: only the numbers)')
    .option('--limit <n>', 'images to take, from the first on', positiveInteger, 10000)
    .option('--count <n>', 'images on the sheet', positiveInteger, 64)
    .option('--columns <n>', 'columns of the sheet', positiveInteger, 16)
    .option('--sample', "sample z from E's distribution (default: its mean)")
    .option('--seed <n>', 'seed of z, and of the pairing with other images', wholeNumber, 0)
    .option('--force', 'overwrite');
  outputOptions(engineOptions(modelOptions(command))).action(reconstruct);
  return examples(command, [
    'bigbigan reconstruct --run runs/mnist --data mnist-test --out reconstructions.png',
    'bigbigan reconstruct --run runs/mnist --data mnist-test --json | jq .l1_ratio',
  ]);
}

async function reconstruct(options: ReconstructOptions, command: Command): Promise<void> {
  requireModel(options);
  const { data, out } = options;
  if (data === undefined) throw usage('--data is missing: the images to reconstruct');
  if (out !== undefined && !/\.(png|npy)$/i.test(out))
    throw usage(`expected a .png or .npy file for --out, got ${out}`);
  if (!/\.png$/i.test(out ?? ''))
    refuseGiven(command, ['--count', '--columns'], 'needs --out FILE.png', 'it is for the sheet');
  const started = Date.now();
  const report = createReport(options);
  const { openImages } = await import('../core/data/images/images.js');
  const { describeModel } = await import('../core/trained/open-model.js');
  const { input } = await describeModel(options);
  if (out !== undefined) await checkOutputFile(out, options.force);
  const images = await openImages(data, { resolution: input.height, channels: input.channels as 1 | 3 });

  const { reconstructImages, saveReconstructions } = await import('../core/trained/reconstruct-images.js');
  const { reconstructionError } = await import('../core/metrics/reconstruction.js');
  const { engine, model } = await startModel(options, report);
  const progress = report.progress('reconstruct', Math.min(images.count, options.limit));
  const pair = await reconstructImages(engine, model, images, { ...options, onRows: (done) => progress.update(done) });
  progress.stop();
  await images.close();
  const { l1, l2 } = reconstructionError(pair, options.seed);
  if (out !== undefined) await saveReconstructions(out, pair, options);

  report.result(
    {
      l1_matched: l1.matched,
      l1_mismatched: l1.mismatched,
      l1_ratio: l1.ratio,
      l2_matched: l2.matched,
      l2_mismatched: l2.mismatched,
      l2_ratio: l2.ratio,
      count: pair.count,
      out: out ?? null,
      data,
      data_digest: images.digest ?? null,
      ...model.provenance,
      latent: options.sample ? 'sample' : 'mean',
      seed: options.seed,
      version: packageVersion,
      seconds: (Date.now() - started) / 1000,
    },
    [
      ...Object.entries({ L1: l1, L2: l2 }).map(([name, { matched, mismatched, ratio }]) => {
        return `${name} ratio ${ratio.toFixed(4)} (matched ${matched.toFixed(4)}, mismatched ${mismatched.toFixed(4)}, ${pair.count} images)`;
      }),
      ...(out === undefined ? [] : [out]),
    ].join('\n'),
  );
}
