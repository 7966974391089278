/** `bigbigan prep-data`: from images in any common form to a dataset folder. */

import { Command, Option } from 'commander';
import type { ResizeMethod } from '../core/data/codec.js';
import { PREPARE_DEFAULTS } from '../core/data/dataset/defaults.js';
import { STORAGES, type Storage } from '../core/data/dataset/manifest.js';
import { FORMATS, type SourceFormat } from '../core/data/sources/source.js';
import { interruptible } from './interruptible.js';
import {
  examples,
  type OutputOptions,
  outputOptions,
  positiveInteger,
  wholeNumber,
  wholeNumberIn,
} from './options/options.js';
import { createReport } from './report.js';

interface PrepDataOptions extends OutputOptions {
  out: string;
  format?: SourceFormat;
  labels?: string;
  store: Storage;
  resolution?: number;
  resize?: ResizeMethod;
  channels?: '1' | '3';
  limit?: number;
  holdout: number;
  holdoutOut?: string;
  seed: number;
  shardSize: number;
  strict?: boolean;
  force?: boolean;
}

/** Sides of squares; larger ones are beyond any model, and do not fit in memory as a batch. */
const MOST_PIXELS = 8192;

export function prepDataCommand(): Command {
  const command = new Command('prep-data')
    .summary('make a dataset from images')
    .description(
      'Brings images to one size and stores them as a dataset folder: dataset.json with shards of uint8 pixels (.npy), ' +
        'class numbers and ids, in the order of the source. With --store encoded the shards are .tar archives of the ' +
        'images as they are, at their original sizes, which WebDataset reads too. Sources: a folder of images (its subfolders are the ' +
        'classes), a CSV file of path,label, IDX (MNIST) and CIFAR binary files, gzipped or not, tar and zip archives ' +
        'of images. Several sources of one kind become one dataset. Broken images are named and skipped; a path in a CSV file that does ' +
        'not exist is an error. The same command again does nothing.',
    )
    .argument('<source...>', 'folder or file of images')
    .requiredOption('-o, --out <dir>', 'dataset folder to write')
    .addOption(new Option('--store <kind>', 'what the shards hold: see below').choices([...STORAGES]).default('pixels'))
    .option('--resolution <n>', 'height and width in pixels, needed for --store pixels', wholeNumberIn(1, MOST_PIXELS))
    .addOption(
      new Option('--resize <method>', 'how an image becomes a square: see below (default: "center-crop")').choices([
        'center-crop',
        'squash',
        'pad',
      ]),
    )
    .addOption(
      new Option('--channels <n>', '1 grey, 3 colour (default: 1 for idx, 3 for the others)').choices(['1', '3']),
    )
    .addOption(new Option('--format <name>', 'of the source (default: recognised)').choices([...FORMATS]))
    .option('--labels <file>', 'label file of an idx source (default: the one beside it)')
    .option('--limit <n>', 'images to take, chosen at random (default: all)', positiveInteger)
    .option(
      '--holdout <n>',
      'images to set apart, chosen at random, as a second dataset',
      wholeNumber,
      PREPARE_DEFAULTS.holdout,
    )
    .option('--holdout-out <dir>', 'folder of the second dataset (default: OUT-holdout)')
    .option('--seed <n>', 'seed of the random choices', wholeNumber, PREPARE_DEFAULTS.seed)
    .option('--shard-size <n>', 'images in a shard', positiveInteger, PREPARE_DEFAULTS.shardSize)
    .option('--strict', 'a broken image is an error')
    .option('--force', 'replace an existing dataset')
    .addHelpText(
      'after',
      '\nKinds of shards:\n' +
        '  pixels       images of one size, for training and evaluation at that size\n' +
        '  encoded      the images as they are (pixels as PNG), for crops of them at any size\n' +
        '\nResize methods:\n' +
        '  center-crop  scale the shorter side to the resolution, keep the centre\n' +
        '  squash       scale both sides to the resolution\n' +
        '  pad          shrink what is larger, enlarge nothing, centre on black',
    )
    .action(run);
  outputOptions(command);
  return examples(command, [
    'bigbigan prep-data photos/ --out data/photos --resolution 64',
    'bigbigan prep-data train-images-idx3-ubyte.gz --out data/mnist --resolution 32 --resize pad',
    'bigbigan prep-data cifar-10-batches-bin --out data/cifar10 --resolution 32 --holdout 5000',
    'bigbigan prep-data imagenet.tar --out data/imagenet --store encoded --holdout 10000',
    'bigbigan prep-data labels.csv --out data/mine --resolution 128 --strict --json | jq .count',
  ]);
}

async function run(sources: string[], { channels, ...options }: PrepDataOptions): Promise<void> {
  using report = createReport(options);
  const { prepareData } = await import('../core/data/dataset/prepare-data.js');
  const settings = { ...options, sources, channels: channels && (Number(channels) as 1 | 3) };
  const result = await interruptible(report, (signal) => prepareData(settings, { on: report.on, signal }));
  report.path(result.out);
  if (result.holdout_out !== null) report.path(result.holdout_out);
  if (options.json) report.result(result, '');
}
