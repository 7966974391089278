/** How well the classes of the nearest training features name those of the test features. */
import { startEngine } from '../../backend/engine.js';
import { checkChoice, checkList, checkNumber, checkShard, checkWhole, checkWholes } from '../../checks.js';
import { usage } from '../../errors.js';
import { checkOutputFile, checkOutputFolder } from '../../formats/output-file.js';
import { METRICS, type NeighbourMetric } from '../../metrics/neighbours/nearness.js';
import { spread } from '../../metrics/spread.js';
import type { EngineWorkOptions, WorkEvent } from '../../work.js';
import { type FeaturePair, openFeaturePair } from '../features/feature-pair.js';
import { comparePair } from './compare-pair.js';
import { KNN_DEFAULTS } from './defaults.js';
import { type Counts, inOrder, type KnnResult, type KnnRuns, mergeShards, readKnnResult } from './knn-result.js';
import { joinNeighbours, NEIGHBOURS_FOLDER } from './neighbour-folder.js';
import { openSheetImages, saveSheet } from './sheet-file.js';

export interface KnnSettings {
  /** Features folders that vote, and folders to classify, pair by pair. Both need labels.npy. */
  train?: readonly string[];
  test?: readonly string[];
  /** In place of both: results of all shards as `--json` prints them, to be added up. */
  merge?: readonly string[];
  /** Which `.npy` of the folders, default avepool; bn_crelu is computed from it where there is no such file. */
  feature?: string;
  /** Numbers of neighbours, default 1, 5, 25, 50. */
  k?: readonly number[];
  /** Distance between vectors, default l2. l1 and l2 are the paper's D_1 and D_2. */
  metric?: NeighbourMetric;
  /** Scale vectors to norm 1, default true; `cosine` needs it. */
  normalise?: boolean;
  /** Also weigh votes by exp(similarity / temperature) (metric cosine). */
  temperature?: number;
  /** Classify only part `[i, n]` of the test rows, i from 1. */
  shard?: readonly [number, number];
  /** Folder for indices.npy int32 and distances.npy float32, [test rows, largest k]. */
  neighboursOut?: string;
  /** A `.png` of queries with their nearest neighbours; it needs the images of both folders. */
  sheetOut?: string;
  trainImages?: string;
  testImages?: string;
  /** Queries on the sheet, evenly spaced; default 8. */
  sheetRows?: number;
  /** Replace what exists. */
  force?: boolean;
}

/** `result` comes as soon as it is known, before a sheet is drawn; `run` is one of several pairs. */
export type KnnEvent =
  | WorkEvent
  | { kind: 'result'; result: KnnResult | KnnRuns }
  | { kind: 'run'; train: string; test: string; result: KnnResult };

type Work = EngineWorkOptions<KnnEvent>;

/**
 * Names the class of each test row by a majority vote of its k nearest training rows; a tie goes to the class of the
 * nearest neighbour among the tied. The search is exact: distances decide in double precision. Training features are
 * read once; memory holds the test features and a chunk of the others. Where both are the same set, a row does not vote
 * on itself.
 *
 * Events: `result`, `run`, notes, warnings, and progress of the task `training rows`. With `signal` it throws the
 * signal's reason.
 * @throws UserError for features that do not fit together, numbers of neighbours that there are not, files that exist
 */
export async function knn(settings: KnnSettings, work: Work = {}): Promise<KnnResult | KnnRuns> {
  const result = settings.merge ? await mergeResults(settings.merge, settings) : await comparePairs(settings, work);
  if (settings.merge || 'runs' in result) work.on?.({ kind: 'result', result });
  return result;
}

async function comparePairs(settings: KnnSettings, work: Work): Promise<KnnResult | KnnRuns> {
  const pairs = await checkSettings(settings);
  const runs: KnnResult[] = [];
  for (const [train, test] of pairs) {
    const result = await compareFolders(train, test, settings, work, pairs.length === 1);
    runs.push(result);
    if (pairs.length > 1) work.on?.({ kind: 'run', train, test, result });
  }
  return runs.length === 1 ? runs[0] : summary(runs);
}

async function compareFolders(train: string, test: string, settings: KnnSettings, work: Work, alone: boolean) {
  const { feature = KNN_DEFAULTS.feature, k = KNN_DEFAULTS.k, metric = KNN_DEFAULTS.metric } = settings;
  const { normalise = KNN_DEFAULTS.normalise, sheetOut, sheetRows = KNN_DEFAULTS.sheetRows } = settings;
  await using pair = await openFeaturePair(train, test, feature, {
    note: (message) => work.on?.({ kind: 'note', message }),
    warn: (message) => work.on?.({ kind: 'warning', message }),
  });
  checkNumbers(pair, k);
  await using images = sheetOut ? await openSheetImages(settings.trainImages!, settings.testImages!, pair) : undefined;
  const question = { ...settings, feature, k, metric, normalise };
  const compared = await comparePair(() => startEngine(work), pair, question, work);
  const { result } = compared;
  if (alone) work.on?.({ kind: 'result', result });
  if (images) await saveSheet(sheetOut!, compared, images, sheetRows);
  return result;
}

function summary(runs: KnnResult[]): KnnRuns {
  const over = (pick: (run: KnnResult) => Counts | undefined, of: 'mean' | 'std') =>
    pick(runs[0]) &&
    Object.fromEntries(Object.keys(pick(runs[0])!).map((k) => [k, spread(runs.map((run) => pick(run)![k]))[of]]));
  return {
    top1: over((run) => run.top1, 'mean')!,
    top1_std: over((run) => run.top1, 'std')!,
    weighted_top1: over((run) => run.weighted_top1, 'mean'),
    weighted_top1_std: over((run) => run.weighted_top1, 'std'),
    runs,
  };
}

/** Adds up the results of all shards; no features are read. */
async function mergeResults(files: readonly string[], { neighboursOut, force }: KnnSettings): Promise<KnnResult> {
  if (neighboursOut) await checkNeighboursOut(neighboursOut, force);
  const parts = await Promise.all(files.map(async (path) => ({ path, result: await readKnnResult(path) })));
  const merged = mergeShards(parts);
  if (!neighboursOut) return merged;
  const folders = inOrder(parts).map(({ path, result: { neighbours_out, neighbours_sha256, queries } }) => {
    return { path, folder: neighbours_out, digests: neighbours_sha256, queries };
  });
  const largest = Math.max(...Object.keys(merged.right).map(Number));
  merged.neighbours_sha256 = await joinNeighbours(neighboursOut, folders, largest, force);
  merged.neighbours_out = neighboursOut;
  return merged;
}

/** What can be found wrong before anything is read; gives the pairs of folders. */
async function checkSettings(settings: KnnSettings): Promise<Array<[string, string]>> {
  const { train, test, metric = KNN_DEFAULTS.metric, normalise = KNN_DEFAULTS.normalise, temperature } = settings;
  const { shard, neighboursOut, sheetOut, trainImages, testImages, force } = settings;
  checkChoice('--metric', metric, METRICS);
  checkWholes('--k', settings.k, { least: 1 });
  checkNumber('--temperature', temperature, 'above 0', (value) => value > 0);
  checkShard(shard);
  checkWhole('--sheet-rows', settings.sheetRows, { least: 1 });
  for (const [name, folders] of Object.entries({ train, test })) checkList(`--${name}`, folders);
  if (!train) throw usage('--train is missing: the features that vote');
  if (!test) throw usage('--test is missing: the features to classify');
  if (train.length !== test.length) {
    throw usage(
      `expected as many --test folders as --train folders, ${train.length}, got ${test.length}`,
      'they are compared pair by pair',
    );
  }
  if (metric === 'cosine' && !normalise) {
    throw usage(
      '--no-normalise does not go with --metric cosine',
      'cosine compares directions; choose --metric l2 or l1',
    );
  }
  if (temperature !== undefined && metric !== 'cosine') {
    throw usage(
      `--temperature does not go with --metric ${metric}`,
      'weights are made of cosine similarities: add --metric cosine',
    );
  }
  if (train.length > 1 && (shard || neighboursOut || sheetOut)) {
    throw usage('--shard, --neighbours-out and --sheet-out are for one pair of folders', 'run the pairs one by one');
  }
  if (sheetOut) {
    if (!trainImages || !testImages) {
      throw usage('--sheet-out needs --train-images and --test-images', 'they are what the features were made of');
    }
    if (!/\.png$/i.test(sheetOut)) throw usage(`expected a .png file for --sheet-out, got ${sheetOut}`);
    await checkOutputFile(sheetOut, force);
  }
  if (neighboursOut) await checkNeighboursOut(neighboursOut, force);
  return train.map((path, i) => [path, test[i]]);
}

const checkNeighboursOut = (dir: string, force?: boolean) => checkOutputFolder(dir, { force, kind: NEIGHBOURS_FOLDER });

function checkNumbers({ train, same }: FeaturePair, k: readonly number[]): void {
  const others = train.rows - (same ? 1 : 0);
  const largest = Math.max(...k);
  if (largest <= others) return;
  const fitting = k.filter((number) => number <= others);
  const rows = `the ${same ? 'other ' : ''}rows of ${train.path}`;
  throw usage(
    `expected at most ${others} for --k, ${rows}, got ${largest}`,
    `choose smaller numbers of neighbours${fitting.length > 0 ? `: --k ${fitting.join()}` : ''}`,
  );
}
