/** One side of a comparison: whatever a user named, as statistics, with its rows and class scores where they are wanted. */
import type { Engine } from '../backend/engine.js';
import { expected } from '../errors.js';
import { sha256File } from '../formats/digest.js';
import type { Extractor } from '../metrics/extractor.js';
import { type InceptionScore, createInceptionScore } from '../metrics/inception-score.js';
import type { Rows } from '../metrics/rows.js';
import { type PartialSums, type Statistics, addSums, noSums, statisticsFrom } from '../metrics/statistics.js';
import type { FeatureSet } from './feature-source.js';
import { type Measured, type MeasureOptions, measureFeatures, measureImages, networkOf } from './measure.js';
import type { MetricImages } from './metric-images.js';
import { type PartHeader, checkParts, partRows, readPartHeader, readSums } from './part-file.js';
import type { Source } from './source.js';
import { createSpill } from './spill.js';
import { type Origin, readOrigin, readStatistics } from './statistics-file.js';

export interface Side extends Origin {
  path: string;
  kind: 'images' | 'features' | 'statistics' | 'parts';
  statistics: Statistics;
  features?: Rows;
  score?: InceptionScore;
  /** An image whose encoding is lossy. */
  lossy?: string;
  close(): Promise<void>;
}

export interface SideOptions extends MeasureOptions {
  batchSize: number;
  /** Called with the number of rows before the work begins; may throw. */
  check?(count: number, path: string): void;
}

/** `extractor` is needed for images. */
export async function sideOf(engine: Engine, source: Source, extractor: Extractor | undefined, options: SideOptions): Promise<Side> {
  const { path, kind } = source;
  if (kind === 'part') {
    throw expected('a whole set', path, 'a part of one', 'put the parts together: fid REAL --merge PART...');
  }
  if (kind === 'statistics') {
    const { n, mean, covariance, ...origin } = await readStatistics(path);
    const sourceDigest = origin.sourceDigest ?? (await sha256File(path));
    return { path, kind, statistics: { n, mean, covariance }, ...origin, sourceDigest, close: async () => {} };
  }
  if (kind === 'images') {
    const images = await source.open(extractor!.image);
    try {
      checkCount(images.count, path, options);
      const measured = await measureImages(engine, images, path, extractor!, options);
      return side(measured, { path, kind, ...originOfImages(images, extractor!), lossy: images.lossy?.() });
    } finally {
      await images.close();
    }
  }
  const set = await source.open();
  try {
    checkCount(set.count, path, options);
    const measured = await measureFeatures(engine, set, path, options);
    const whole = side(measured, { path, kind, ...(await originOfFeatures(path, set)) });
    return { ...whole, close: () => whole.close().then(set.close) };
  } catch (error) {
    await set.close();
    throw error;
  }
}

export function originOfImages({ digest, resize }: MetricImages, extractor: Extractor): Origin {
  return { network: networkOf(extractor), sourceDigest: digest, resize };
}

/** Features that were saved with their statistics come with what is known of these. */
async function originOfFeatures(path: string, { digest }: FeatureSet): Promise<Origin> {
  const origin = /\.npz$/i.test(path) ? await readOrigin(path) : {};
  return { ...origin, sourceDigest: origin.sourceDigest ?? digest };
}

/** Shards put together in their order, so that every score is that of the whole set read at once. */
export async function mergedSide(paths: readonly string[], options: SideOptions): Promise<Side & { shards: number; sums: PartialSums }> {
  const { features, splits, temporary, check, onRows } = options;
  const headers: PartHeader[] = [];
  for (const path of paths) headers.push(await readPartHeader(path));
  const parts = checkParts(headers);
  const [{ width, shards, network, sourceDigest, resize }] = parts;
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const name = parts.length === 1 ? paths[0] : `${parts[0].path} and ${parts.length - 1} more`;
  checkCount(n, name, { check });
  const scorer = splits === undefined ? undefined : createInceptionScore(n, splits);
  const spill = features ? await createSpill(temporary, width) : undefined;
  const sums = noSums(width);
  for (const header of parts) {
    addSums(sums, await readSums(header));
    if (spill) for await (const { data } of partRows(header, 'feats', 'kid')) await spill.add(data);
    if (scorer) for await (const { data, count } of partRows(header, 'logits', 'is')) scorer.add(data, count);
    onRows?.(sums.n, n);
  }
  return {
    path: name,
    kind: 'parts',
    shards,
    sums,
    statistics: statisticsFrom(sums),
    network,
    sourceDigest,
    resize,
    features: spill?.rows(),
    score: scorer?.result(),
    close: async () => spill?.close(),
  };
}

function side({ sums, features, score, close }: Measured & { close(): Promise<void> }, rest: Omit<Side, 'statistics' | 'close'>): Side {
  return { ...rest, statistics: statisticsFrom(sums), features, score, close };
}

function checkCount(count: number, path: string, { check }: Pick<SideOptions, 'check'>): void {
  if (count < 2) throw expected('2 rows or more', path, `${count}`, 'a covariance needs them; take 2,049 or more for a usable distance');
  check?.(count, path);
}
