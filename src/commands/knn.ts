/** `bigbigan knn`: how well the classes of the nearest training features name those of the test features. */
import { Command, Option } from 'commander';
import type { Engine } from '../core/backend/engine.js';
import type { Features } from '../core/data/features.js';
import type { NeighbourAnswer } from '../core/evaluation/classify-neighbours.js';
import type { Counts, KnnResult } from '../core/evaluation/knn-result.js';
import type { Metric } from '../core/metrics/nearness.js';
import { expected, usage } from '../core/errors.js';
import {
  engineOptions,
  examples,
  outputOptions,
  positiveInteger,
  positiveIntegers,
  positiveNumber,
  shard,
  type EngineOptions,
  type OutputOptions,
} from './options.js';
import { checkOutputFile } from './output-file.js';
import { createReport, type Report } from './report.js';
import { versions } from './versions.js';

interface KnnOptions extends OutputOptions, EngineOptions {
  train?: string[];
  test?: string[];
  feature: string;
  k: number[];
  metric: Metric;
  normalise: boolean;
  temperature?: number;
  shard?: [number, number];
  merge?: string[];
  neighboursOut?: string;
  sheetOut?: string;
  trainImages?: string;
  testImages?: string;
  sheetRows: number;
  force?: boolean;
}

/** Neighbours beside each query of a sheet. */
const SHEET_COLUMNS = 9;

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
    .option('--feature <name>', 'which .npy of the folders to compare', 'avepool')
    .addOption(
      new Option('--k <list>', 'numbers of neighbours, separated by commas')
        .argParser(positiveIntegers)
        .default([1, 5, 25, 50], '1,5,25,50'),
    )
    .addOption(
      new Option(
        '--metric <name>',
        "distance between vectors scaled to norm 1: l1 and l2 are the paper's D_1 and D_2; l1 cannot use matrix products and is slow",
      )
        .choices(['l1', 'l2', 'cosine'])
        .default('l2'),
    )
    .option('--no-normalise', 'compare the vectors as they are (l1 and l2), for instance raw pixels')
    .option(
      '--temperature <t>',
      'also weigh votes by exp(similarity / t), as DINO does with 0.07; needs --metric cosine (default: not done)',
      positiveNumber,
    )
    .option('--shard <i/n>', 'classify only part i (from 1) of n of the test rows; save the --json and join by --merge', shard)
    .option('--merge <files...>', 'add up the results of all shards; no features are read')
    .option('--neighbours-out <dir>', 'also write indices.npy int32 and distances.npy float32, [test rows, largest k]')
    .option('--sheet-out <file>', 'also draw queries with their nearest neighbours as .png; needs the images of both')
    .option('--train-images <images>', 'images of the --train rows: dataset, folder or .npy of uint8')
    .option('--test-images <images>', 'images of the --test rows')
    .option('--sheet-rows <n>', 'queries on the sheet, evenly spaced', positiveInteger, 8)
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
    'bigbigan knn --train a --test b --sheet-out near.png --train-images digits --test-images digits-test',
  ]);
}

async function knn(options: KnnOptions): Promise<void> {
  const report = createReport(options);
  if (options.merge) {
    if (options.train || options.test) throw usage('--merge does not go with --train and --test', 'it only adds up results');
    const { mergeShards, readKnnResult } = await import('../core/evaluation/knn-result.js');
    const parts = options.merge.map(async (path) => ({ path, result: await readKnnResult(path) }));
    const merged = mergeShards(await Promise.all(parts));
    report.result(merged, text(merged));
    return;
  }
  const pairs = await checkOptions(options);
  const { startEngine } = await import('../core/backend/engine.js');
  const engine = await startEngine(options);
  const runs: KnnResult[] = [];
  for (const [train, test] of pairs) runs.push(await comparePair(engine, train, test, options, report));
  if (runs.length === 1) {
    report.result(runs[0], text(runs[0]));
    for (const path of [options.neighboursOut, options.sheetOut]) if (path) report.path(path);
    return;
  }
  const { spread } = await import('../core/metrics/spread.js');
  const over = (pick: (run: KnnResult) => Counts | undefined, of: 'mean' | 'std') =>
    pick(runs[0]) && Object.fromEntries(Object.keys(pick(runs[0])!).map((k) => [k, spread(runs.map((run) => pick(run)![k]))[of]]));
  const summary = {
    top1: over((run) => run.top1, 'mean')!,
    top1_std: over((run) => run.top1, 'std')!,
    weighted_top1: over((run) => run.weighted_top1, 'mean'),
    weighted_top1_std: over((run) => run.weighted_top1, 'std'),
    runs,
  };
  const line = (k: string) => `k ${k}: top-1 ${percent(summary.top1[k])} ± ${(100 * summary.top1_std[k]).toFixed(2)} over ${runs.length}`;
  report.result(summary, Object.keys(summary.top1).map(line).join('\n'));
}

/** What can be found wrong before anything is read; gives the pairs of folders. */
async function checkOptions(options: KnnOptions): Promise<Array<[string, string]>> {
  const { train, test, metric, normalise, temperature, shard, neighboursOut, sheetOut, trainImages, testImages, force } = options;
  if (!train) throw usage('--train is missing: the features that vote');
  if (!test) throw usage('--test is missing: the features to classify');
  if (train.length !== test.length) {
    throw usage(`expected as many --test folders as --train folders, ${train.length}, got ${test.length}`, 'they are compared pair by pair');
  }
  if (metric === 'cosine' && !normalise) {
    throw usage('--no-normalise does not go with --metric cosine', 'cosine compares directions; choose --metric l2 or l1');
  }
  if (temperature !== undefined && metric !== 'cosine') {
    throw usage(`--temperature does not go with --metric ${metric}`, 'weights are made of cosine similarities: add --metric cosine');
  }
  if (train.length > 1 && (shard || neighboursOut || sheetOut)) {
    throw usage('--shard, --neighbours-out and --sheet-out are for one pair of folders', 'run the pairs one by one');
  }
  if (sheetOut) {
    if (!trainImages || !testImages) throw usage('--sheet-out needs --train-images and --test-images', 'they are what the features were made of');
    await checkOutputFile(sheetOut, force);
  }
  if (neighboursOut) {
    const { checkReplaceable } = await import('../core/formats/atomic.js');
    await checkReplaceable(neighboursOut, { force, marker: 'indices.npy' });
  }
  return train.map((path, i) => [path, test[i]]);
}

async function comparePair(engine: Engine, trainPath: string, testPath: string, options: KnnOptions, report: Report): Promise<KnnResult> {
  const started = performance.now();
  const { metric, normalise, temperature, neighboursOut, sheetOut, shard } = options;
  const { openFeatures } = await import('../core/data/features.js');
  const { checkSameFeatures } = await import('../core/evaluation/same-features.js');
  const { fractions, shardRange } = await import('../core/evaluation/knn-result.js');
  const { classifyByNeighbours } = await import('../core/evaluation/classify-neighbours.js');
  const train = await openFeatures(trainPath, options.feature);
  const test = await openFeatures(testPath, options.feature);
  checkSameFeatures(train, test);
  const ks = [...new Set(options.k)].sort((a, b) => a - b);
  const leaveOneOut = train.digest === test.digest;
  const classes = checkSets(train, test, ks, leaveOneOut, report);
  const range = shardRange(test.rows, shard ?? [1, 1]);
  if (range[0] === range[1]) throw usage(`part ${shard!.join('/')} of the ${test.rows} rows of ${testPath} is empty`, 'use fewer parts');
  const images = sheetOut ? await openSheetImages(options, train, test) : undefined;

  const progress = report.progress('rows', train.rows);
  const onRows = (done: number) => progress.update(done);
  const answer = await classifyByNeighbours(engine, { train, test, range, ks, metric, normalise, leaveOneOut, temperature, onRows });
  progress.stop();
  await Promise.all([train.close(), test.close()]);
  if (neighboursOut) await saveNeighbours(neighboursOut, answer, options.force);
  if (images) await saveSheet(sheetOut!, answer, range[0], images, options.sheetRows);

  const queries = range[1] - range[0];
  const named = (counts: number[]): Counts => Object.fromEntries(ks.map((k, i) => [String(k), counts[i]]));
  const right = named(answer.right);
  const weighted = answer.weighted && { top1: named(answer.weighted.top1), top5: named(answer.weighted.top5) };
  const describe = ({ path, rows, width, digest }: Features) => ({ path, rows, width, digest });
  return {
    top1: fractions(right, queries),
    ...(weighted && { weighted_top1: fractions(weighted.top1, queries), weighted_top5: fractions(weighted.top5, queries) }),
    right,
    weighted_right: weighted,
    queries,
    shard: shard ? shard.join('/') : null,
    metric,
    normalised: normalise,
    temperature: temperature ?? null,
    feature: options.feature,
    leave_one_out: leaveOneOut,
    train: describe(train),
    test: describe(test),
    classes,
    neighbours_out: neighboursOut,
    sheet_out: sheetOut,
    seconds: (performance.now() - started) / 1000,
    versions: versions(engine),
  };
}

/** Whether the two sets can be compared; gives the number of classes that vote. */
function checkSets(train: Features, test: Features, ks: readonly number[], leaveOneOut: boolean, report: Report): number {
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
  if (leaveOneOut) report.note('train and test are the same rows: leaving each row out of its own vote');
  const known = new Set(train.labels!);
  const unknown = new Set(test.labels!.filter((label) => !known.has(label))).size;
  if (unknown > 0) report.warn(`${unknown} classes of ${test.path} do not occur in ${train.path}; their rows count as wrong`);
  return known.size;
}

async function saveNeighbours(dir: string, { neighbours }: NeighbourAnswer, force?: boolean): Promise<void> {
  const { join } = await import('node:path');
  const { writeFolderAtomic } = await import('../core/formats/atomic.js');
  const { writeNpy } = await import('../core/formats/npy.js');
  const { rows, distances, found } = neighbours;
  const shape = [rows.length / found, found];
  await writeFolderAtomic(dir, { force, marker: 'indices.npy' }, async (folder) => {
    await writeNpy(join(folder, 'indices.npy'), shape, rows);
    await writeNpy(join(folder, 'distances.npy'), shape, Float32Array.from(distances));
  });
}

async function openSheetImages({ trainImages, testImages }: KnnOptions, train: Features, test: Features) {
  const { openImages } = await import('../core/data/images.js');
  const [neighbourImages, queryImages] = [await openImages(trainImages!), await openImages(testImages!)];
  for (const [set, features] of [[neighbourImages, train], [queryImages, test]] as const) {
    if (set.count !== features.rows) {
      throw expected(`${features.rows} images, one for each row of ${features.path}`, set.path, `${set.count}`, 'name the images that were encoded');
    }
  }
  return { neighbourImages, queryImages };
}

async function saveSheet(
  path: string,
  { neighbours }: NeighbourAnswer,
  firstQuery: number,
  images: Awaited<ReturnType<typeof openSheetImages>>,
  queries: number,
): Promise<void> {
  const { neighbourSheet } = await import('../core/evaluation/neighbour-sheet.js');
  const { writeAtomic } = await import('../core/formats/atomic.js');
  const columns = Math.min(SHEET_COLUMNS, neighbours.found);
  const png = await neighbourSheet({ neighbours, firstQuery, ...images, queries, columns });
  await writeAtomic(path, async (handle) => void (await handle.writeFile(png)));
  await Promise.all([images.neighbourImages.close(), images.queryImages.close()]);
}

function text({ top1, weighted_top1, weighted_top5 }: KnnResult): string {
  return Object.keys(top1)
    .map((k) => {
      const weighted = weighted_top1 ? `; weighted top-1 ${percent(weighted_top1[k])}, top-5 ${percent(weighted_top5![k])}` : '';
      return `k ${k}: top-1 ${percent(top1[k])}${weighted}`;
    })
    .join('\n');
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}
