/** What a user names as one side of a comparison, told apart before anything long begins. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST } from '../../data/dataset/manifest.js';
import { featureFile } from '../../data/features.js';
import { expected } from '../../errors.js';
import { exists } from '../../formats/atomic.js';
import { type NpyHeader, openNpyRows, readNpyStream } from '../../formats/npy/npy.js';
import { npzNames, openNpzStream } from '../../formats/zip/npz-stream.js';
import { type FoundFeatures, findNpyFeatures, findNpzFeatures, streamFeatures } from './feature-source.js';
import { findImages, findNpzImages, streamImages } from './images/image-source.js';
import type { FoundImages } from './images/metric-images.js';

export type Source = { path: string } & (
  | { kind: 'statistics' }
  /** Sums over a shard of a set. */
  | { kind: 'part' }
  | ({ kind: 'features' } & FoundFeatures)
  | ({ kind: 'images' } & FoundImages)
);

export interface SourceOptions {
  /** Single rows are needed: of an .npz that has both, features or images are taken and not its statistics. */
  rows: boolean;
  /** Which .npy of a features folder, default avepool. */
  feature?: string;
  /** Where `-` reads from. */
  stdin: AsyncIterable<Uint8Array>;
}

/** Looks at names and headers only; of a stream it reads the header. */
export async function openSource(named: string, { rows, feature = 'avepool', stdin }: SourceOptions): Promise<Source> {
  if (named === '-') {
    const stream = await readNpyStream(stdin);
    return isImages(stream.header)
      ? { path: named, kind: 'images', ...streamImages(stream) }
      : { path: named, kind: 'features', ...streamFeatures(stream) };
  }
  const status = await stat(named).catch(() => undefined);
  if (!status)
    throw expected(
      'a dataset, a features folder, a folder or zip of images, .npy, .npz or -',
      named,
      'no such file or folder',
      'check the path',
    );
  const isDataset = status.isDirectory() && (await exists(join(named, MANIFEST)));
  const path = (status.isDirectory() && !isDataset && (await featureFile(named, feature))) || named;
  if (/\.npz$/i.test(path)) return openNpzSource(path, rows);
  if (/\.npy$/i.test(path)) {
    const file = await openNpyRows(path);
    await file.close();
    if (!isImages(file)) return { path, kind: 'features', ...findNpyFeatures(path, file) };
  }
  return { path, kind: 'images', ...(await findImages(path)) };
}

/**
 * Statistics as FID tools save them (`mu`, `sigma`), features as clean-fid does (`feats`), or what numpy.savez makes of
 * one array (`arr_0`): images, as ADM's samples and reference batches are, or features.
 */
async function openNpzSource(path: string, rows: boolean): Promise<Source> {
  const names = await npzNames(path);
  const array = ['feats', 'arr_0'].find((name) => names.includes(name));
  if (names.includes('scatter')) return { path, kind: 'part' };
  if (names.includes('mu') && names.includes('sigma') && !(rows && array)) return { path, kind: 'statistics' };
  if (array === undefined) {
    const hint = 'statistics are mu and sigma, features feats, images arr_0';
    throw expected('the arrays mu and sigma, feats, or arr_0', path, names.join(', ') || 'none', hint);
  }
  const { header, close } = await openNpzStream(path, array);
  close();
  if (isImages(header)) return { path, kind: 'images', ...findNpzImages(path, array, header) };
  return { path, kind: 'features', ...findNpzFeatures(path, array, header) };
}

function isImages({ dtype }: Pick<NpyHeader, 'dtype'>): boolean {
  return dtype === 'uint8';
}
