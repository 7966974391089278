/** `bigbigan knn`: how well the classes of the nearest training features name those of the test features. */
import { Command, Option } from 'commander';
import type { Engine } from '../../core/backend/engine.js';
import { usage } from '../../core/errors.js';
import type { FeaturePair } from '../../core/evaluation/features/feature-pair.js';
import type { Counts, KnnResult } from '../../core/evaluation/knn/knn-result.js';
import { versions } from '../../core/version.js';
import {
  engineOptions,
  examples,
  outputOptions,
  positiveInteger,
  positiveIntegers,
  positiveNumber,
  shard,
} from '../options/options.js';
import { createReport, type Report } from '../report.js';
import { checkKnnOptions, checkMergeOptions, checkNumbers, type KnnOptions } from './knn-checks.js';
import { openSheetImages, type SheetImages, saveSheet } from './knn-sheet.js';

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
      'avepool',
    )
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
    'bigbigan knn --train a --test b --shard 2/8 --neighbours-out near2 --json > part2.json',
    'bigbigan knn --merge part*.json --neighbours-out near --json',
    'bigbigan knn --train a --test b --sheet-out near.png --train-images digits --test-images digits-test',
  ]);
}

async function knn(options: KnnOptions, command: Command): Promise<void> {
  const report = createReport(options);
  if (options.merge) return merge(options.merge, options, command, report);
  const pairs = await checkKnnOptions(options, command);
  if (options.shard && !options.json)
    report.warn('--merge joins what --json prints: without it, this part stands alone');
  const { startEngine } = await import('../../core/backend/engine.js');
  let engine: Engine | undefined;
  const start = async () => (engine ??= await startEngine(options));
  const { openFeaturePair } = await import('../../core/evaluation/features/feature-pair.js');
  const runs: KnnResult[] = [];
  for (const [train, test] of pairs) {
    const started = performance.now();
    const pair = await openFeaturePair(train, test, options.feature, report);
    let images: SheetImages | undefined;
    try {
      checkNumbers(pair, options);
      if (options.sheetOut) images = await openSheetImages(options, pair);
      const { result, answer, firstQuery } = await comparePair(start, pair, options, started, report);
      runs.push(result);
      if (pairs.length === 1) report.result(result, text(result));
      else report.note(`${train} → ${test}: ${text(result).replaceAll('\n', ', ')}`);
      if (images) await saveSheet(options.sheetOut!, answer, firstQuery, images, options.sheetRows);
    } finally {
      await Promise.all([pair.close(), images?.close()]);
    }
  }
  if (runs.length === 1) {
    for (const path of [options.neighboursOut, options.sheetOut]) if (path) report.path(path);
    return;
  }
  const { spread } = await import('../../core/metrics/spread.js');
  const over = (pick: (run: KnnResult) => Counts | undefined, of: 'mean' | 'std') =>
    pick(runs[0]) &&
    Object.fromEntries(Object.keys(pick(runs[0])!).map((k) => [k, spread(runs.map((run) => pick(run)![k]))[of]]));
  const summary = {
    top1: over((run) => run.top1, 'mean')!,
    top1_std: over((run) => run.top1, 'std')!,
    weighted_top1: over((run) => run.weighted_top1, 'mean'),
    weighted_top1_std: over((run) => run.weighted_top1, 'std'),
    runs,
  };
  const line = (k: string) =>
    `k ${k}: top-1 ${percent(summary.top1[k])} ± ${(100 * summary.top1_std[k]).toFixed(2)} over ${runs.length}`;
  report.result(summary, Object.keys(summary.top1).map(line).join('\n'));
}

async function merge(files: string[], options: KnnOptions, command: Command, report: Report): Promise<void> {
  await checkMergeOptions(options, command);
  const { inOrder, mergeShards, readKnnResult } = await import('../../core/evaluation/knn/knn-result.js');
  const parts = await Promise.all(files.map(async (path) => ({ path, result: await readKnnResult(path) })));
  const merged = mergeShards(parts);
  const { neighboursOut, force } = options;
  if (neighboursOut) {
    const { joinNeighbours } = await import('../../core/evaluation/knn/neighbour-folder.js');
    const folders = inOrder(parts).map(({ path, result: { neighbours_out, neighbours_sha256, queries } }) => {
      return { path, folder: neighbours_out, digests: neighbours_sha256, queries };
    });
    merged.neighbours_sha256 = await joinNeighbours(
      neighboursOut,
      folders,
      Math.max(...Object.keys(merged.right).map(Number)),
      force,
    );
    merged.neighbours_out = neighboursOut;
  }
  report.result(merged, text(merged));
  if (neighboursOut) report.path(neighboursOut);
}

async function comparePair(
  start: () => Promise<Engine>,
  pair: FeaturePair,
  options: KnnOptions,
  started: number,
  report: Report,
) {
  const { metric, normalise, temperature, neighboursOut, sheetOut, shard } = options;
  const { train, test, same: leaveOneOut, classes, bn } = pair;
  const { describeComputed } = await import('../../core/evaluation/features/feature-pair.js');
  const { fractions, shardRange } = await import('../../core/evaluation/knn/knn-result.js');
  const { classifyByNeighbours } = await import('../../core/evaluation/knn/classify-neighbours.js');
  const { describeSet } = await import('../../core/evaluation/probe/probe-result.js');
  const ks = [...new Set(options.k)].sort((a, b) => a - b);
  if (leaveOneOut) report.note('train and test are the same rows: leaving each row out of its own vote');
  const range = shardRange(test.rows, shard ?? [1, 1]);
  if (range[0] === range[1])
    throw usage(`part ${shard!.join('/')} of the ${test.rows} rows of ${test.path} is empty`, 'use fewer parts');

  const engine = await start();
  const progress = report.progress('training rows', train.rows);
  const onRows = (done: number) => progress.update(done);
  const answer = await classifyByNeighbours(engine, {
    train,
    test,
    range,
    ks,
    metric,
    normalise,
    leaveOneOut,
    temperature,
    onRows,
  });
  progress.stop();
  const { writeNeighbours } = await import('../../core/evaluation/knn/neighbour-folder.js');
  const digests =
    neighboursOut === undefined ? undefined : await writeNeighbours(neighboursOut, answer.neighbours, options.force);

  const queries = range[1] - range[0];
  const named = (counts: number[]): Counts => Object.fromEntries(ks.map((k, i) => [String(k), counts[i]]));
  const right = named(answer.right);
  const weighted = answer.weighted && { top1: named(answer.weighted.top1), top5: named(answer.weighted.top5) };
  const result: KnnResult = {
    top1: fractions(right, queries),
    ...(weighted && {
      weighted_top1: fractions(weighted.top1, queries),
      weighted_top5: fractions(weighted.top5, queries),
    }),
    right,
    weighted_right: weighted,
    queries,
    shard: shard ? shard.join('/') : null,
    metric,
    normalised: normalise,
    temperature: temperature ?? null,
    feature: options.feature,
    ...describeComputed(bn),
    leave_one_out: leaveOneOut,
    train: describeSet(train),
    test: describeSet(test),
    classes,
    neighbours_out: neighboursOut,
    neighbours_sha256: digests,
    sheet_out: sheetOut,
    seconds: (performance.now() - started) / 1000,
    versions: versions(engine),
  };
  return { result, answer, firstQuery: range[0] };
}

function text({ top1, weighted_top1, weighted_top5 }: KnnResult): string {
  return Object.keys(top1)
    .map((k) => {
      const weighted = weighted_top1
        ? `; weighted top-1 ${percent(weighted_top1[k])}, top-5 ${percent(weighted_top5![k])}`
        : '';
      return `k ${k}: top-1 ${percent(top1[k])}${weighted}`;
    })
    .join('\n');
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}
