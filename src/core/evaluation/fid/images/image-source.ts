/** Images of any kind as a network takes them: in batches of one size each, in order, whole or in part. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST, readManifest } from '../../../data/dataset/manifest.js';
import { arrayShape, openImages } from '../../../data/images/images.js';
import type { Channels } from '../../../data/pixels.js';
import { expected } from '../../../errors.js';
import { exists } from '../../../formats/atomic.js';
import { sha256File } from '../../../formats/digest.js';
import { type NpyHeader, type NpyStream, openNpyRows } from '../../../formats/npy/npy.js';
import { openNpzStream } from '../../../formats/zip/npz-stream.js';
import { findFolder, findZip, openEncodedDataset } from './encoded-images.js';
import {
  checkSize,
  type FoundImages,
  type ImageRange,
  type MetricBatch,
  type MetricImages,
  type Wanted,
} from './metric-images.js';

/** A dataset, a folder or a zip archive of images, or an .npy file: names and headers only. */
export async function findImages(path: string): Promise<FoundImages> {
  if ((await stat(path)).isDirectory())
    return (await exists(join(path, MANIFEST))) ? findDataset(path) : findFolder(path);
  if (/\.zip$/i.test(path)) return findZip(path);
  if (!/\.npy$/i.test(path))
    throw expected(
      'a dataset, a features folder, a folder or zip of images, .npy, .npz or -',
      path,
      'another file',
      'name the folder that holds the images',
    );
  const file = await openNpyRows(path);
  await file.close();
  const { count } = arrayShape(file.shape, path, {}).extents;
  return { count, open: (wanted) => openArray('npy', path, wanted) };
}

/** The array `name` of an .npz. */
export function findNpzImages(path: string, name: string, { shape }: NpyHeader): FoundImages {
  const title = `${path} (${name})`;
  const open = async (wanted: Wanted): Promise<MetricImages> => {
    const stream = await openNpzStream(path, name);
    return {
      kind: 'npz',
      ...arrayBatches(stream, title, wanted),
      digest: await sha256File(path),
      close: async () => stream.close(),
    };
  };
  return { count: arrayShape(shape, title, {}).extents.count, open };
}

export function streamImages(stream: NpyStream): FoundImages {
  const title = 'standard input';
  const open = async (wanted: Wanted): Promise<MetricImages> => ({
    kind: 'stream',
    ...arrayBatches(stream, title, wanted),
    close: async () => {},
  });
  return { count: arrayShape(stream.header.shape, title, {}).extents.count, open };
}

async function findDataset(path: string): Promise<FoundImages> {
  const { manifest } = await readManifest(path);
  const { count, storage, preparation } = manifest;
  if (storage === 'encoded') return { count, open: (wanted) => openEncodedDataset(path, wanted) };
  const { resize, resolution, resampling } = preparation;
  const prepared = resize ? `${resize} to ${resolution} (${resampling}) by prep-data` : undefined;
  return { count, open: async (wanted) => ({ ...(await openArray('dataset', path, wanted)), resize: prepared }) };
}

async function openArray(kind: 'dataset' | 'npy', path: string, wanted: Wanted): Promise<MetricImages> {
  const square = wanted.height !== undefined && wanted.height === wanted.width ? wanted.height : undefined;
  const images = await openImages(path, { resolution: square, channels: wanted.channels as Channels | undefined });
  const { count, height, width, channels, digest, close } = images;
  checkSize(wanted, height, width, path);
  async function* batches(size: number, { first, end }: ImageRange): AsyncGenerator<MetricBatch> {
    for (let at = first; at < end; at += size) {
      const indices = Array.from({ length: Math.min(size, end - at) }, (_, i) => at + i);
      yield { data: await images.random!(indices), shape: [indices.length, height, width, channels] };
    }
  }
  return { kind, count, digest, batches, close };
}

function arrayBatches(stream: NpyStream, name: string, wanted: Wanted) {
  const { extents, convert } = arrayShape(stream.header.shape, name, {
    channels: wanted.channels as Channels | undefined,
  });
  const { count, height, width, channels } = extents;
  checkSize(wanted, height, width, name);
  async function* batches(size: number, range: ImageRange): AsyncGenerator<MetricBatch> {
    let at = 0;
    for await (const rows of stream.rows(size)) {
      const data = convert(rows as Uint8Array);
      const length = height * width * channels;
      const [from, to] = [Math.max(range.first - at, 0), Math.min(range.end - at, data.length / length)];
      at += data.length / length;
      if (from < to)
        yield { data: data.subarray(from * length, to * length), shape: [to - from, height, width, channels] };
    }
  }
  return { count, batches };
}
