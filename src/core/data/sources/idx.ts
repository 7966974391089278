/**
 * IDX files (MNIST and its kin), plain or gzipped: big-endian magic 0x803 and [count, rows, columns] before the pixels,
 * 0x801 and [count] before the labels. http://yann.lecun.com/exdb/mnist/
 */
import { basename, dirname, join } from 'node:path';
import { expected } from '../../errors.js';
import { exists } from '../../formats/exists.js';
import { readUnpacked } from './bytes.js';
import type { ImageSource, SourceItem } from './source.js';

const IMAGES_MAGIC = 0x803;
const LABELS_MAGIC = 0x801;

export function isIdxImages(start: Uint8Array): boolean {
  return start.length >= 16 && start[0] === 0 && start[1] === 0 && start[2] === 8 && start[3] === 3;
}

/**
 * `labels` names the label file; without it the one beside with "images" replaced by "labels" is taken, if there is
 * one.
 */
export async function openIdx(path: string, labels?: string): Promise<ImageSource> {
  const { extents, data } = await readIdx(path, IMAGES_MAGIC, 3);
  const [count, height, width] = extents;
  if (count * height * width === 0) throw expected('at least one image', path, `[${extents}]`);
  const labelPath = labels ?? (await labelsBeside(path));
  const numbers = labelPath === undefined ? undefined : await readLabelFile(labelPath, count);
  const classes =
    numbers && Array.from({ length: numbers.reduce((a, b) => Math.max(a, b), 0) + 1 }, (_, i) => String(i));
  const length = height * width;
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<SourceItem> {
    for (let index = 0; index < count; index++) {
      if (!wanted(index)) continue;
      const pixels = data.subarray(index * length, (index + 1) * length);
      yield {
        index,
        id: String(index),
        label: numbers?.[index],
        image: { pixels: { data: pixels, height, width, channels: 1 } },
      };
    }
  }
  const files = labelPath === undefined ? [path] : [path, labelPath];
  return { format: 'idx', files, count, classes, channels: 1, items };
}

async function readIdx(path: string, magic: number, dimensions: number) {
  const bytes = await readUnpacked(path);
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = 4 + 4 * dimensions;
  if (bytes.length < start || header.getUint32(0) !== magic) {
    const found = bytes.length < start ? `${bytes.length} bytes` : `0x${header.getUint32(0).toString(16)}`;
    const kind = magic === IMAGES_MAGIC ? 'images' : 'labels';
    throw expected(`an IDX file of ${kind} (magic 0x${magic.toString(16)})`, path, found, 'check the path');
  }
  const extents = Array.from({ length: dimensions }, (_, i) => header.getUint32(4 + 4 * i));
  const wanted = start + extents.reduce((a, b) => a * b, 1);
  if (bytes.length !== wanted) {
    throw expected(`${wanted} bytes ([${extents}] as its header says)`, path, `${bytes.length}`, 'the file is damaged');
  }
  return { extents, data: bytes.subarray(start) };
}

async function readLabelFile(path: string, count: number): Promise<Uint8Array> {
  const { data } = await readIdx(path, LABELS_MAGIC, 1);
  if (data.length === count) return data;
  throw expected(`${count} labels, one an image`, path, `${data.length}`, 'name the right file with --labels');
}

async function labelsBeside(path: string): Promise<string | undefined> {
  const name = basename(path).replace('images', 'labels').replace('idx3', 'idx1');
  if (name === basename(path)) return undefined;
  const bare = join(dirname(path), name.replace(/\.gz$/, ''));
  for (const candidate of [bare, `${bare}.gz`]) {
    if (await exists(candidate)) return candidate;
  }
  return undefined;
}
