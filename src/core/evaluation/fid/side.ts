/**
 * One side of a comparison: whatever a user named, as statistics, with its rows and class scores where they are wanted.
 */
import type { Engine } from '../../backend/engine.js';
import type { NetworkImages } from '../../data/images/image-set.js';
import { expected } from '../../errors.js';
import { sha256File } from '../../formats/digest.js';
import type { Extractor } from '../../metrics/extractor.js';
import type { Rows } from '../../metrics/rows.js';
import { type Statistics, statisticsFrom } from '../../metrics/statistics.js';
import { type Measured, type MeasureOptions, measureFeatures, measureImages, networkOf } from './measure.js';
import type { FoundSet } from './source.js';
import { type Origin, readStatistics } from './statistics-file.js';

/** What is known of a side before the long work on it. */
export interface OpenSide extends Origin {
  path: string;
  kind: 'images' | 'features' | 'statistics' | 'parts';
  /** Rows; statistics of other tools do not say. */
  n?: number;
  /** Features of a row. */
  width: number;
  measure(engine: Engine, options: SideOptions): Promise<Side>;
  close(): Promise<void>;
}

export interface Side extends Origin {
  path: string;
  kind: OpenSide['kind'];
  statistics: Statistics;
  features?: Rows;
  /** Keys of the scores of its class scores. */
  scored: object;
  /** An image whose encoding is lossy. */
  lossy?: string;
  /** Of the rows. */
  close(): Promise<void>;
}

export interface SideOptions extends MeasureOptions {
  batchSize: number;
}

/** `extractor` is needed for images. */
export async function openSide(source: FoundSet, extractor?: Extractor): Promise<OpenSide> {
  const { path, kind } = source;
  if (kind === 'part')
    throw expected('a whole set', path, 'a part of one', 'put the parts together: fid REAL --merge PART...');
  if (kind === 'statistics') {
    const { n, mean, covariance, ...rest } = await readStatistics(path);
    const origin = { ...rest, sourceDigest: rest.sourceDigest ?? (await sha256File(path)) };
    const side: Side = {
      path,
      kind,
      statistics: { n, mean, covariance },
      scored: {},
      ...origin,
      close: async () => {},
    };
    return { path, kind, n, width: mean.length, ...origin, measure: async () => side, close: async () => {} };
  }
  checkCount(source.count, path);
  if (kind === 'images') {
    const images = await source.images.openForNetwork(extractor!.image);
    const known = { path, kind, ...originOfImages(images, extractor!) };
    return {
      ...known,
      n: images.count,
      width: extractor!.width,
      measure: async (engine, options) => {
        const measured = await measureImages(engine, images, path, extractor!, options);
        return side(measured, { ...known, lossy: images.lossy?.() });
      },
      close: images.close,
    };
  }
  const set = await source.open();
  const { network, sourceDigest, resize, count: n, width, close } = set;
  const known = { path, kind, network, sourceDigest, resize };
  return {
    ...known,
    n,
    width,
    measure: async (engine, options) => side(await measureFeatures(engine, set, path, options), known),
    close,
  };
}

export function originOfImages({ digest, resize }: NetworkImages, extractor: Extractor): Origin {
  return { network: networkOf(extractor), sourceDigest: digest, resize };
}

function side(
  { sums, features, scored, close }: Measured & { close(): Promise<void> },
  known: Omit<Side, 'statistics' | 'scored' | 'close'>,
): Side {
  return { ...known, statistics: statisticsFrom(sums), features, scored, close };
}

export function checkCount(count: number, path: string): void {
  if (count < 2)
    throw expected(
      '2 rows or more',
      path,
      `${count}`,
      'a covariance needs them, and more rows than features to be of full rank',
    );
}
