/** `bigbigan prep-data`: from images in any common form to a dataset folder. */

import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { ResizeMethod } from '../core/data/codec.js';
import { STORAGES, type Storage } from '../core/data/dataset/manifest.js';
import type { Prepared, PrepareOptions } from '../core/data/dataset/prepare.js';
import { FORMATS, type SourceFormat } from '../core/data/sources/source.js';
import { usage } from '../core/errors.js';
import { refuseFileName } from '../core/formats/output-file.js';
import { packageVersion } from '../core/version.js';
import { ExitCode } from './exit-code.js';
import { examples, type OutputOptions, outputOptions, positiveInteger, wholeNumber } from './options/options.js';
import { createReport, type Progress, type Report } from './report.js';
import { SIGNAL_CODES } from './stopping.js';

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
    .option('--resolution <n>', 'height and width in pixels, needed for --store pixels', positiveInteger)
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
    .option('--holdout <n>', 'images to set apart, chosen at random, as a second dataset', wholeNumber, 0)
    .option('--holdout-out <dir>', 'folder of the second dataset (default: OUT-holdout)')
    .option('--seed <n>', 'seed of the random choices', wholeNumber, 0)
    .option('--shard-size <n>', 'images in a shard', positiveInteger, 10_000)
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

async function run(sources: string[], options: PrepDataOptions): Promise<void> {
  const started = performance.now();
  const report = createReport(options);
  const { out, holdout, holdoutOut = `${out.replace(/\/+$/, '')}-holdout` } = options;
  checkStore(options);
  refuseFileName(out, 'a folder, which gets the dataset,');
  if (resolve(out) === resolve(holdoutOut)) throw usage('--out and --holdout-out name the same folder');
  if (options.labels && sources.length > 1) throw usage('--labels goes with one source only');
  const channels = options.channels === undefined ? undefined : (Number(options.channels) as 1 | 3);
  const prepared = await prepare({ ...options, sources, holdoutOut, channels, version: packageVersion }, report);
  if (!prepared) return;

  const { main, holdout: second, unchanged } = prepared;
  const skipped = main.skipped + (second?.skipped ?? 0);
  if (unchanged) report.note(`${out} is up to date, nothing to do`);
  else if (skipped > 0) report.warn(`${skipped} images could not be decoded and were left out`);
  report.path(out);
  if (holdout > 0) report.path(holdoutOut);
  if (!options.json) return;
  const result = {
    resize: null,
    resolution: null,
    ...main.preparation,
    out,
    storage: main.storage ?? 'pixels',
    count: main.count,
    classes: main.classes?.length ?? null,
    skipped,
    holdout: second?.count ?? 0,
    holdout_out: holdout > 0 ? holdoutOut : null,
    height: main.height ?? null,
    width: main.width ?? null,
    channels: main.channels,
    shards: main.shards.length,
    unchanged,
    version: main.version,
    seconds: (performance.now() - started) / 1000,
  };
  report.result(result, '');
}

function checkStore({ store, resolution, resize }: PrepDataOptions): void {
  if (store === 'pixels') {
    if (resolution === undefined)
      throw usage('--resolution is missing: the height and width of the images', 'or take --store encoded');
    return;
  }
  const [given] = Object.entries({ resolution, resize }).find(([, value]) => value !== undefined) ?? [];
  if (given) throw usage(`--${given} goes with --store pixels only`, 'encoded images keep their sizes');
}

/** Runs with words and progress on stderr; undefined when a signal stopped it. */
async function prepare(options: PrepareOptions, report: Report): Promise<Prepared | undefined> {
  const { prepareDataset } = await import('../core/data/dataset/prepare.js');
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => stop.abort(signal);
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  let progress: Progress | undefined;
  try {
    return await prepareDataset(options, {
      recognised: (format, { count, classes }) => {
        const labels = classes ? `${classes.length} classes` : 'no labels';
        report.note(`${options.sources.join(', ')}: ${format}, ${count} images, ${labels}`);
      },
      selected: ({ main, holdout }) => (progress = report.progress('prep-data', main + holdout)),
      skipped: (id, reason) => report.warn(`${id} skipped: ${reason}`),
      progress: (done) => progress?.update(done),
      signal: stop.signal,
    });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    report.note('stopped; nothing was written');
    throw new ExitCode(SIGNAL_CODES[stop.signal.reason as keyof typeof SIGNAL_CODES]);
  } finally {
    progress?.stop();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
