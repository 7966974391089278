/** The result of `knn` as an object, and several such results joined: shards of one question, or repetitions of it. */
import { readFile } from 'node:fs/promises';
import { expected } from '../../errors.js';
import type { Versions } from '../../version.js';
import type { NeighbourDigests } from './neighbour-folder.js';

export type Counts = Record<string, number>;

export interface KnnResult {
  /** For each k the fraction that the majority classifies right. */
  top1: Counts;
  /** The same by votes weighted by similarity. */
  weighted_top1?: Counts;
  weighted_top5?: Counts;
  /** Queries classified right, of which the fractions are made. */
  right: Counts;
  weighted_right?: { top1: Counts; top5: Counts };
  /** Rows of the test set that were classified. */
  queries: number;
  /** Which part of the test rows, as `I/N`; null for all. */
  shard: string | null;
  train: { path: string; rows: number; width: number; digest: string };
  test: { path: string; rows: number; width: number; digest: string };
  /** Folder of the neighbours, where they were asked for, and the SHA-256 of its files. */
  neighbours_out?: string;
  neighbours_sha256?: NeighbourDigests;
  /** File of the sheet, where it was asked for. */
  sheet_out?: string;
  seconds: number;
  versions: Versions;
  [key: string]: unknown;
}

/** Of several pairs of folders: means over the runs and sample standard deviations, for each k. */
export interface KnnRuns {
  top1: Counts;
  top1_std: Counts;
  weighted_top1?: Counts;
  weighted_top1_std?: Counts;
  runs: KnnResult[];
}

/** What must agree between shards of one question. */
const SAME = ['metric', 'normalised', 'temperature', 'feature', 'leave_one_out', 'classes'];

/** What a result says of `queries` of which so many are right, for each k. */
export function accuracies(right: Counts, weighted: KnnResult['weighted_right'], queries: number) {
  const fractions = (counts: Counts): Counts =>
    Object.fromEntries(Object.entries(counts).map(([k, count]) => [k, count / queries]));
  return {
    top1: fractions(right),
    ...(weighted && { weighted_top1: fractions(weighted.top1), weighted_top5: fractions(weighted.top5) }),
    right,
    weighted_right: weighted,
    queries,
  };
}

/** From and to of part I of N of `rows`; parts differ by one row at most. */
export function shardRange(rows: number, [index, count]: readonly [number, number]): [number, number] {
  return [Math.floor(((index - 1) * rows) / count), Math.floor((index * rows) / count)];
}

export async function readKnnResult(path: string): Promise<KnnResult> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw expected(
      'a result of knn --json',
      path,
      (error as NodeJS.ErrnoException).code ?? String(error),
      'check the path',
    );
  }
  let result: KnnResult;
  try {
    result = JSON.parse(text) as KnnResult;
  } catch {
    throw expected('one JSON object', path, JSON.stringify(text.slice(0, 40)), 'save what knn --json prints');
  }
  const fine =
    result &&
    typeof result === 'object' &&
    result.right &&
    result.train?.digest &&
    result.test?.digest &&
    result.queries > 0;
  if (!fine)
    throw expected('a result of knn --json', path, 'another object', 'save what knn --shard I/N --json prints');
  return result;
}

export interface KnnPart {
  /** The file of the result. */
  path: string;
  result: KnnResult;
}

/** Adds up the shards of one question; every shard must be there once. */
export function mergeShards(results: readonly KnnPart[]): KnnResult {
  const [first, ...others] = results;
  const facts = ({ result }: KnnPart) =>
    JSON.stringify([
      ...SAME.map((key) => result[key] ?? null),
      result.train.digest,
      result.test.digest,
      Object.keys(result.right),
    ]);
  const count = Number(first.result.shard?.split('/')[1] ?? 1);
  for (const other of others) {
    if (facts(other) === facts(first)) continue;
    const key = SAME.find((name) => JSON.stringify(other.result[name]) !== JSON.stringify(first.result[name]));
    const what = key ? `${key} ${JSON.stringify(first.result[key])}` : 'the same features and numbers of neighbours';
    throw expected(
      `${what} as in ${first.path}`,
      other.path,
      key ? JSON.stringify(other.result[key]) : 'others',
      'merge shards of one question only',
    );
  }
  const wanted = Array.from({ length: count }, (_, i) => `${i + 1}/${count}`);
  // A result of all rows is the only shard of one.
  const given = results.map(({ result }) => result.shard ?? '1/1');
  const missing = wanted.filter((shard) => !given.includes(shard));
  if (missing.length > 0 || given.length !== count) {
    throw expected(
      `each of the ${count} shards once`,
      '--merge',
      given.join(', '),
      missing.length > 0 ? `missing: ${missing.join(', ')}` : 'leave out the others',
    );
  }
  const total = (pick: (result: KnnResult) => Counts) =>
    Object.fromEntries(
      Object.keys(pick(first.result)).map((k) => [k, results.reduce((sum, { result }) => sum + pick(result)[k], 0)]),
    );
  const queries = results.reduce((sum, { result }) => sum + result.queries, 0);
  if (queries !== first.result.test.rows)
    throw expected(`${first.result.test.rows} queries in all`, '--merge', `${queries}`);
  const right = total(({ right }) => right);
  const weighted = first.result.weighted_right && {
    top1: total(({ weighted_right }) => weighted_right!.top1),
    top5: total(({ weighted_right }) => weighted_right!.top5),
  };
  return {
    ...first.result,
    ...accuracies(right, weighted, queries),
    shard: null,
    merged: count,
    // What one shard wrote is not of all.
    neighbours_out: undefined,
    neighbours_sha256: undefined,
    sheet_out: undefined,
    seconds: results.reduce((sum, { result }) => sum + Number(result.seconds ?? 0), 0),
  };
}

/** In the order of the test rows. */
export function inOrder(results: readonly KnnPart[]): KnnPart[] {
  return [...results].sort((a, b) => parseInt(a.result.shard ?? '1', 10) - parseInt(b.result.shard ?? '1', 10));
}
