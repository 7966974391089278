/** What a user names as one side of a comparison, told apart before anything long begins. */
import { expected } from '../errors.js';
import { type NpyHeader, openNpyRows, readNpyStream } from '../formats/npy.js';
import { npzNames, openNpzStream } from '../formats/npz-stream.js';
import { type FeatureSet, openNpyFeatures, openNpzFeatures, streamFeatures } from './feature-source.js';
import { openFileImages, openNpzImages, streamImages } from './image-source.js';
import type { MetricImages, Wanted } from './metric-images.js';

export type Source = { path: string } & (
  | { kind: 'statistics' }
  /** Sums over a shard of a set. */
  | { kind: 'part' }
  | { kind: 'features'; open(): Promise<FeatureSet> }
  | { kind: 'images'; open(wanted: Wanted): Promise<MetricImages> }
);
export type SourceKind = Source['kind'];

export interface SourceOptions {
  /** Single rows are needed: of an .npz that has both, features or images are taken and not its statistics. */
  rows: boolean;
  /** Where `-` reads from. */
  stdin: AsyncIterable<Uint8Array>;
}

/** Looks at names and headers only; of a stream it reads the header. */
export async function openSource(path: string, { rows, stdin }: SourceOptions): Promise<Source> {
  if (path === '-') {
    const stream = await readNpyStream(stdin);
    if (isImages(stream.header)) return { path, kind: 'images', open: async (wanted) => streamImages(stream, wanted) };
    return { path, kind: 'features', open: async () => streamFeatures(stream) };
  }
  if (/\.npz$/i.test(path)) return openNpzSource(path, rows);
  if (/\.npy$/i.test(path)) {
    const file = await openNpyRows(path);
    await file.close();
    if (!isImages(file)) return { path, kind: 'features', open: () => openNpyFeatures(path) };
  }
  return { path, kind: 'images', open: (wanted) => openFileImages(path, wanted) };
}

/**
 * Statistics as FID tools save them (`mu`, `sigma`), features as clean-fid does (`feats`), or what numpy.savez makes of one
 * array (`arr_0`): images, as ADM's samples and reference batches are, or features.
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
  if (isImages(header)) return { path, kind: 'images', open: (wanted) => openNpzImages(path, array, wanted) };
  return { path, kind: 'features', open: () => openNpzFeatures(path, array) };
}

function isImages({ dtype }: Pick<NpyHeader, 'dtype'>): boolean {
  return dtype === 'uint8';
}
