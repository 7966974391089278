/** What a user names as one side of a comparison, recognised before anything long begins. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST } from '../../data/dataset/manifest.js';
import { featureFile } from '../../data/features.js';
import type { FoundImages } from '../../data/images/image-set.js';
import { findImages } from '../../data/images/images.js';
import { imagesOfNpz } from '../../data/images/npz-images.js';
import { imagesOfStream } from '../../data/images/stream-images.js';
import { expected } from '../../errors.js';
import { exists } from '../../formats/exists.js';
import { type NpyHeader, openNpyRows, readNpyStream } from '../../formats/npy/npy.js';
import { npzNames, openNpzStream } from '../../formats/zip/npz-stream.js';
import { type FoundFeatures, findNpyFeatures, findNpzFeatures, streamFeatures } from './feature-source.js';

export type FoundSet = { path: string } & (
  | { kind: 'statistics' }
  /** Sums over a shard of a set. */
  | { kind: 'part' }
  | ({ kind: 'features' } & FoundFeatures)
  | { kind: 'images'; count: number; images: FoundImages }
);

const FORMS = 'a dataset, a features folder, a folder, zip or tar of images, .npy, .npz or -';

export interface SourceOptions {
  /** Single rows are needed: of an .npz that has both, features or images are taken and not its statistics. */
  rows: boolean;
  /** Which .npy of a features folder, default avepool. */
  feature?: string;
  /** Where `-` reads from. */
  stdin: AsyncIterable<Uint8Array>;
}

/** Looks at names and headers only; of a stream it reads the header. */
export async function openSource(
  named: string,
  { rows, feature = 'avepool', stdin }: SourceOptions,
): Promise<FoundSet> {
  if (named === '-') {
    const stream = await readNpyStream(stdin);
    return isImages(stream.header)
      ? imageSet(named, imagesOfStream(stream))
      : { path: named, kind: 'features', ...streamFeatures(stream) };
  }
  const status = await stat(named).catch(() => undefined);
  if (!status) throw expected(FORMS, named, 'no such file or folder', 'check the path');
  const isDataset = status.isDirectory() && (await exists(join(named, MANIFEST)));
  const path = (status.isDirectory() && !isDataset && (await featureFile(named, feature))) || named;
  if (/\.npz$/i.test(path)) return openNpzSource(path, rows);
  if (/\.npy$/i.test(path)) {
    const file = await openNpyRows(path);
    await file.close();
    if (!isImages(file)) return { path, kind: 'features', ...findNpyFeatures(path, file) };
  }
  return imageSet(path, await findImages(path, { forms: FORMS }));
}

/**
 * Statistics as FID tools save them (`mu`, `sigma`), features as clean-fid does (`feats`), or what numpy.savez makes of
 * one array (`arr_0`): images, as ADM's samples and reference batches are, or features.
 */
async function openNpzSource(path: string, rows: boolean): Promise<FoundSet> {
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
  if (isImages(header)) return imageSet(path, imagesOfNpz(path, array, header));
  return { path, kind: 'features', ...findNpzFeatures(path, array, header) };
}

function imageSet(path: string, images: FoundImages): FoundSet {
  return { path, kind: 'images', count: images.count, images };
}

function isImages({ dtype }: Pick<NpyHeader, 'dtype'>): boolean {
  return dtype === 'uint8';
}
