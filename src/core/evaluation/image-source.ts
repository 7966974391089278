/** Images of any kind as a network takes them: in batches of one size each, in order, whole or in part. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { arrayShape, openImages } from '../data/images.js';
import { MANIFEST, readManifest } from '../data/manifest.js';
import type { Channels } from '../data/pixels.js';
import { expected } from '../errors.js';
import { exists } from '../formats/atomic.js';
import { sha256File } from '../formats/digest.js';
import type { NpyStream } from '../formats/npy.js';
import { openNpzStream } from '../formats/npz-stream.js';
import { openEncodedDataset, openEncodedFolder, openEncodedZip } from './encoded-images.js';
import { type ImageRange, type MetricBatch, type MetricImages, type Wanted, checkSize } from './metric-images.js';

/** A dataset, a folder or a zip archive of images, or an .npy file. */
export async function openFileImages(path: string, wanted: Wanted): Promise<MetricImages> {
  const status = await stat(path).catch(() => undefined);
  if (!status) {
    throw expected('a dataset, a folder or zip of images, an .npy or .npz file or -', path, 'no such file or folder', 'check the path');
  }
  if (status.isDirectory()) return (await exists(join(path, MANIFEST))) ? openDatasetImages(path, wanted) : openEncodedFolder(path, wanted);
  if (/\.zip$/i.test(path)) return openEncodedZip(path, wanted);
  return openArray('npy', path, wanted);
}

/** The array `name` of an .npz. */
export async function openNpzImages(path: string, name: string, wanted: Wanted): Promise<MetricImages> {
  const stream = await openNpzStream(path, name);
  const { batches, count } = arrayBatches(stream, `${path} (${name})`, wanted);
  return { kind: 'npz', count, digest: await sha256File(path), batches, close: async () => stream.close() };
}

export function streamImages(stream: NpyStream, wanted: Wanted): MetricImages {
  return { kind: 'stream', ...arrayBatches(stream, 'standard input', wanted), close: async () => {} };
}

async function openDatasetImages(path: string, wanted: Wanted): Promise<MetricImages> {
  const { manifest } = await readManifest(path);
  if (manifest.storage === 'encoded') return openEncodedDataset(path, wanted);
  const { resize, resolution, resampling } = manifest.preparation;
  const images = await openArray('dataset', path, wanted);
  return { ...images, resize: resize ? `${resize} to ${resolution} (${resampling}) by prep-data` : undefined };
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
  const { dtype, shape } = stream.header;
  if (dtype !== 'uint8') throw expected('uint8 images, values 0 to 255', name, dtype, 'scale to 0..255, round, and save as uint8');
  const { extents, convert } = arrayShape(shape, name, { channels: wanted.channels as Channels | undefined });
  const { count, height, width, channels } = extents;
  checkSize(wanted, height, width, name);
  async function* batches(size: number, range: ImageRange): AsyncGenerator<MetricBatch> {
    let at = 0;
    for await (const rows of stream.rows(size)) {
      const data = convert(rows as Uint8Array);
      const length = height * width * channels;
      const [from, to] = [Math.max(range.first - at, 0), Math.min(range.end - at, data.length / length)];
      at += data.length / length;
      if (from < to) yield { data: data.subarray(from * length, to * length), shape: [to - from, height, width, channels] };
    }
  }
  return { count, batches };
}
