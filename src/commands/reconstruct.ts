import { Command } from 'commander';
import { usage } from '../core/errors.js';
import { RECONSTRUCT_DEFAULTS } from '../core/trained/defaults.js';
import type { ReconstructResult } from '../core/trained/reconstruct.js';
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
  smallNumber,
  wholeNumber,
} from './options/options.js';
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
    .option(
      '--data <images>',
      'dataset; folder, zip or tar of images; .npy or .npz of uint8 images; or - for an .npy stream',
    )
    .option('--out <file>', '.png or .npy (default: only the numbers)')
    .option('--limit <n>', 'images to take, from the first on', positiveInteger, RECONSTRUCT_DEFAULTS.limit)
    .option('--count <n>', 'images on the sheet', smallNumber, RECONSTRUCT_DEFAULTS.count)
    .option('--columns <n>', 'columns of the sheet', smallNumber, RECONSTRUCT_DEFAULTS.columns)
    .option('--sample', "sample z from E's distribution (default: its mean)")
    .option('--seed <n>', 'seed of z, and of the pairing with other images', wholeNumber, RECONSTRUCT_DEFAULTS.seed)
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
  if (!/\.png$/i.test(out ?? '') && (out === undefined || /\.npy$/i.test(out))) {
    refuseGiven(command, ['--count', '--columns'], 'needs --out FILE.png', 'it is for the sheet');
  }
  using report = createReport(options);
  const { reconstruct } = await import('../core/trained/reconstruct.js');
  const settings = { ...options, ...modelSettings(options), data };
  const result = await interruptible(report, (signal) =>
    reconstruct(settings, { threads: options.threads, on: report.on, signal }),
  );
  report.result(result, describe(result));
}

function describe(result: ReconstructResult): string {
  const line = (name: 'L1' | 'L2', key: 'l1' | 'l2') => {
    const [ratio, matched, mismatched] = (['ratio', 'matched', 'mismatched'] as const).map((part) =>
      result[`${key}_${part}`].toFixed(4),
    );
    return `${name} ratio ${ratio} (matched ${matched}, mismatched ${mismatched}, ${result.count} images)`;
  };
  return [line('L1', 'l1'), line('L2', 'l2'), ...(result.out === null ? [] : [result.out])].join('\n');
}
