/** Feature statistics of whatever a user names: images, features, or statistics. */
import type { Engine } from '../backend/engine.js';
import { openImages } from '../data/images.js';
import { expected } from '../errors.js';
import { sha256File } from '../formats/digest.js';
import { openNpyRows } from '../formats/npy.js';
import type { Extractor } from '../metrics/extractor.js';
import { createMoments } from '../metrics/statistics.js';
import { type KnownStatistics, readStatistics } from './statistics-file.js';

export type SourceKind = 'images' | 'features' | 'statistics';

export interface SourceStatistics extends KnownStatistics {
  path: string;
  kind: SourceKind;
  /** SHA-256 of the file or set; unknown for a stream. */
  sourceDigest?: string;
}

/** What a path is, by its ending and, for .npy, by the type of its elements. */
export async function sourceKind(path: string): Promise<SourceKind> {
  if (/\.npz$/i.test(path)) return 'statistics';
  if (!/\.npy$/i.test(path)) return 'images';
  const file = await openNpyRows(path);
  await file.close();
  return file.dtype === 'uint8' ? 'images' : 'features';
}

export interface StatisticsRequest {
  path: string;
  kind: SourceKind;
  /** Needed for images. */
  extractor?: Extractor;
  batchSize: number;
  onRows?(done: number, total: number): void;
}

export async function statisticsOf(engine: Engine, request: StatisticsRequest): Promise<SourceStatistics> {
  const { path, kind, extractor } = request;
  if (kind === 'statistics') {
    return { path, kind, sourceDigest: await sha256File(path), ...(await readStatistics(path)) };
  }
  if (kind === 'features') return featureStatistics(engine, request);
  if (!extractor) throw new Error(`${path}: images need an extractor`);
  return imageStatistics(engine, request, extractor);
}

async function imageStatistics(
  engine: Engine,
  { path, batchSize, onRows }: StatisticsRequest,
  extractor: Extractor,
): Promise<SourceStatistics> {
  const wanted = extractor.image;
  const square = wanted.height !== undefined && wanted.height === wanted.width ? wanted.height : undefined;
  const images = await openImages(path, { resolution: square, channels: wanted.channels as 1 | 3 | undefined });
  try {
    const { height, width, channels, count } = images;
    if (height !== (wanted.height ?? height) || width !== (wanted.width ?? width)) {
      throw expected(`images of ${wanted.width} x ${wanted.height} as ${extractor.label} takes`, path, `${width} x ${height}`);
    }
    const moments = createMoments(engine, extractor.width);
    let done = 0;
    for await (const batch of images.batches(batchSize)) {
      const { features: rows } = extractor.extract(batch.data, [batch.count, height, width, channels]);
      checkFinite(rows, extractor.width, done, `${extractor.label} on ${path}`);
      moments.add(rows, batch.count);
      done += batch.count;
      onRows?.(done, count);
    }
    checkCount(done, path);
    const { label, digest } = extractor;
    return { path, kind: 'images', sourceDigest: images.digest, ...moments.result(), extractor: label, digest };
  } finally {
    await images.close();
  }
}

async function featureStatistics(engine: Engine, { path, onRows }: StatisticsRequest): Promise<SourceStatistics> {
  const file = await openNpyRows(path);
  try {
    const { dtype, shape, rowLength: width } = file;
    if (dtype !== 'float32' && dtype !== 'float64') throw expected('uint8 images or float features', path, dtype);
    if (shape.length !== 2 || width === 0) throw expected('features of shape [n, width]', path, `[${shape}]`, 'images must be uint8');
    checkCount(shape[0], path);
    const moments = createMoments(engine, width);
    const size = Math.max(1, Math.min(8192, Math.floor(2 ** 24 / width)));
    for (let first = 0; first < shape[0]; first += size) {
      const count = Math.min(size, shape[0] - first);
      const rows = Float32Array.from((await file.rows(first, count)) as Float32Array | Float64Array);
      checkFinite(rows, width, first, path);
      moments.add(rows, count);
      onRows?.(first + count, shape[0]);
    }
    return { path, kind: 'features', sourceDigest: await sha256File(path), ...moments.result() };
  } finally {
    await file.close();
  }
}

function checkCount(count: number, path: string): void {
  if (count < 2) throw expected('2 rows or more', path, `${count}`, 'a covariance needs them; take 2,049 or more for a usable distance');
}

function checkFinite(rows: Float32Array, width: number, first: number, what: string): void {
  const bad = rows.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw expected('finite features', `row ${first + Math.floor(bad / width)} of ${what}`, `${rows[bad]}`);
}
