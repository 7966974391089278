/** `bigbigan knn`: how well the classes of the nearest training features name those of the test features. */
import { Command, Option } from 'commander';
import { KNN_DEFAULTS } from '../../core/evaluation/knn/defaults.js';
import { METRICS } from '../../core/metrics/neighbours/nearness.js';
import { interruptible } from '../interruptible.js';
import {
  engineOptions,
  examples,
  outputOptions,
  positiveIntegers,
  positiveNumber,
  shard,
  smallNumber,
} from '../options/options.js';
import { createReport } from '../report.js';
import { checkKnnOptions, type KnnOptions } from './knn-options.js';
import { knnReport } from './knn-report.js';

export function knnCommand(): Command {
  const command = new Command('knn')
    .summary('classify features by their nearest neighbours')
    .description(
      'Names the class of each test row by a majority vote of the k nearest training rows, and prints the fraction ' +
        'that is right, for every k in one pass. A tie goes to the class of the nearest neighbour among the tied. ' +
        'The search is exact (distances decide in double precision) and reads the training features once; memory holds ' +
        'the test features and a chunk of the others. When both are the same set, a row does not vote on itself ' +
        '(leave-one-out). Several folders on both sides are compared pair by pair: mean and standard deviation.',
    )
    .option('--train <folders...>', 'features folder that votes; needs labels.npy')
    .option('--test <folders...>', 'features folder to classify; needs labels.npy')
    .option(
      '--feature <name>',
      'which .npy of the folders to compare; bn_crelu is computed from avepool where there is no such file, with mean and ' +
        'variance of the training rows',
      KNN_DEFAULTS.feature,
    )
    .addOption(
      new Option('--k <list>', 'numbers of neighbours, separated by commas')
        .argParser(positiveIntegers)
        .default(KNN_DEFAULTS.k, KNN_DEFAULTS.k.join()),
    )
    .addOption(
      new Option(
        '--metric <name>',
        "distance between vectors scaled to norm 1: l1 and l2 are the paper's D_1 and D_2; l1 cannot use matrix products and is slow",
      )
        .choices(METRICS)
        .default(KNN_DEFAULTS.metric),
    )
    .option('--no-normalise', 'compare the vectors as they are (l1 and l2), for instance raw pixels')
    .option(
      '--temperature <t>',
      'also weigh votes by exp(similarity / t), as DINO does with 0.07; needs --metric cosine (default: not done)',
      positiveNumber,
    )
    .option(
      '--shard <i/n>',
      'classify only part i (from 1) of n of the test rows; save the --json and join by --merge',
      shard,
    )
    .option(
      '--merge <files...>',
      'add up the results of all shards, and with --neighbours-out join their neighbours; no features are read',
    )
    .option(
      '--neighbours-out <dir>',
      'also write indices.npy int32 and distances.npy float32, [test rows, largest k]; of a shard, its rows',
    )
    .option('--sheet-out <file>', 'also draw queries with their nearest neighbours as .png; needs the images of both')
    .option(
      '--train-images <images>',
      'images of the --train rows: dataset; folder, zip or tar of images; .npy or .npz of uint8 images',
    )
    .option('--test-images <images>', 'images of the --test rows')
    .option('--sheet-rows <n>', 'queries on the sheet, evenly spaced', smallNumber, KNN_DEFAULTS.sheetRows)
    .option('--force', 'replace existing outputs')
    .action(knn);
  engineOptions(command);
  outputOptions(command);
  return examples(command, [
    'bigbigan knn --train train-features --test test-features',
    'bigbigan knn --train train-features --test test-features --metric l1 --k 1,5,25,50 --json',
    'bigbigan knn --train train-features --test test-features --metric cosine --temperature 0.07 --k 10,20,100,200',
    'bigbigan knn --train features --test features   # leave-one-out',
    'bigbigan knn --train a --test b --shard 2/8 --json > part2.json   # and the other seven, elsewhere',
    'bigbigan knn --merge part*.json --json',
    'bigbigan knn --train a --test b --shard 2/8 --neighbours-out near2 --json > part2.json',
    'bigbigan knn --merge part*.json --neighbours-out near --json',
    'bigbigan knn --train a --test b --sheet-out near.png --train-images digits --test-images digits-test',
  ]);
}

async function knn(options: KnnOptions, command: Command): Promise<void> {
  using report = createReport(options);
  checkKnnOptions(options, command);
  if (options.shard && !options.merge && !options.json) {
    report.warn('--merge joins what --json prints: without it, this part stands alone');
  }
  const { knn } = await import('../../core/evaluation/knn/knn.js');
  await interruptible(report, (signal) => knn(options, { threads: options.threads, on: knnReport(report), signal }));
  for (const path of [options.neighboursOut, options.sheetOut]) if (path) report.path(path);
}
