/** `bigbigan knn`: how well the classes of the nearest training features name those of the test features. */
import { Command, Option } from 'commander';
import type { Features } from '../core/data/features.js';
import type { Metric } from '../core/metrics/nearness.js';
import { expected, usage } from '../core/errors.js';
import { engineOptions, examples, outputOptions, positiveIntegers, type EngineOptions, type OutputOptions } from './options.js';
import { createReport } from './report.js';
import { versions } from './versions.js';

interface KnnOptions extends OutputOptions, EngineOptions {
  train: string;
  test: string;
  feature: string;
  k: number[];
  metric: Metric;
  normalise: boolean;
}

/** Elements of the base in memory at once: 64 MB. */
const CHUNK = 1 << 24;
/** A chunk's similarities to 1,000 queries take 4 kB a row. */
const CHUNK_ROWS = 16384;

export function knnCommand(): Command {
  const command = new Command('knn')
    .summary('classify features by their nearest neighbours')
    .description(
      'Names the class of each test row by a majority vote of the k nearest training rows, and prints the fraction ' +
        'that is right, for every k in one pass. A tie goes to the class of the nearest neighbour among the tied. ' +
        'The search is exact and reads the training features once. When both are the same set, a row does not vote ' +
        'on itself (leave-one-out).',
    )
    .requiredOption('--train <folder>', 'features folder that votes; needs labels.npy')
    .requiredOption('--test <folder>', 'features folder to classify; needs labels.npy')
    .option('--feature <name>', 'which .npy of the folders to compare', 'avepool')
    .addOption(
      new Option('--k <list>', 'numbers of neighbours, separated by commas')
        .argParser(positiveIntegers)
        .default([1, 5, 25, 50], '1,5,25,50'),
    )
    .addOption(
      new Option('--metric <name>', 'distance between vectors scaled to norm 1; l1 cannot use matrix products and is slow')
        .choices(['l1', 'l2', 'cosine'])
        .default('l2'),
    )
    .option('--no-normalise', 'compare the vectors as they are (l1 and l2), for instance raw pixels')
    .action(knn);
  engineOptions(command);
  outputOptions(command);
  return examples(command, [
    'bigbigan knn --train train-features --test test-features',
    'bigbigan knn --train train-features --test test-features --metric l1 --k 1,5,25,50 --json',
    'bigbigan knn --train features --test features   # leave-one-out',
  ]);
}

async function knn(options: KnnOptions): Promise<void> {
  const started = performance.now();
  const report = createReport(options);
  if (options.metric === 'cosine' && !options.normalise) {
    throw usage('--no-normalise does not go with --metric cosine', 'cosine compares directions; choose --metric l2 or l1');
  }
  const { openFeatures } = await import('../core/data/features.js');
  const train = await openFeatures(options.train, options.feature);
  const test = await openFeatures(options.test, options.feature);
  const ks = [...new Set(options.k)].sort((a, b) => a - b);
  const leaveOneOut = train.digest === test.digest;
  const labels = checkSets(train, test, ks, leaveOneOut);
  if (leaveOneOut) report.note('train and test are the same rows: leaving each row out of its own vote');
  const known = new Set(labels.train);
  const unknown = new Set(labels.test.filter((label) => !known.has(label))).size;
  if (unknown > 0) {
    report.warn(`${unknown} classes of ${options.test} do not occur in ${options.train}; their rows count as wrong`);
  }

  const { startEngine } = await import('../core/backend/engine.js');
  const { createNeighbourSearch } = await import('../core/metrics/neighbours.js');
  const { knnAccuracy } = await import('../core/metrics/knn.js');
  const engine = await startEngine(options);
  const { metric, normalise } = options;
  const { width } = train;
  const found = ks[ks.length - 1] + (leaveOneOut ? 1 : 0);
  const search = createNeighbourSearch(engine, { queries: await test.read(0, test.rows), width, k: found, metric, normalise });
  const progress = report.progress('rows', train.rows);
  const chunk = Math.max(1, Math.min(CHUNK_ROWS, Math.floor(CHUNK / width)));
  for (let first = 0; first < train.rows; first += chunk) {
    const count = Math.min(chunk, train.rows - first);
    search.add(await train.read(first, count), count);
    progress.update(first + count);
  }
  progress.stop();
  const accuracy = { trainLabels: labels.train, testLabels: labels.test, ks, leaveOneOut };
  const top1 = knnAccuracy({ neighbours: search.result(), found, ...accuracy });
  search.dispose();
  await Promise.all([train.close(), test.close()]);

  const result = {
    top1,
    metric,
    normalised: normalise,
    feature: options.feature,
    leave_one_out: leaveOneOut,
    train: { path: train.path, rows: train.rows, width, digest: train.digest },
    test: { path: test.path, rows: test.rows, width, digest: test.digest },
    classes: known.size,
    seconds: (performance.now() - started) / 1000,
    versions: versions(engine),
  };
  const lines = ks.map((k) => `k ${k}: top-1 ${(100 * top1[k]).toFixed(2)} %`);
  report.result(result, lines.join('\n'));
}

/** Whether the two sets can be compared; gives their labels. */
function checkSets(train: Features, test: Features, ks: readonly number[], leaveOneOut: boolean) {
  for (const { path, labels } of [train, test]) {
    if (!labels) throw expected('labels.npy', path, 'none', 'class numbers are needed: encode a labelled dataset, or save them with NumPy');
  }
  if (train.width !== test.width) {
    throw expected(`features of width ${train.width} as in ${train.path}`, test.path, `${test.width}`, 'encode both with the same network');
  }
  const others = train.rows - (leaveOneOut ? 1 : 0);
  const largest = ks[ks.length - 1];
  if (largest > others) {
    throw usage(`expected at most ${others} for --k, the other rows of ${train.path}, got ${largest}`, 'choose smaller numbers of neighbours');
  }
  return { train: train.labels!, test: test.labels! };
}
