/** A set of images of any kind, as batches of uint8 [n, height, width, channels]. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expected } from '../../errors.js';
import { exists } from '../../formats/atomic.js';
import { sha256File } from '../../formats/digest.js';
import { openNpyRows, readNpyStream } from '../../formats/npy/npy.js';
import { decodeAsIs, decodeImage, type ResizeMethod } from '../codec.js';
import { openDataset } from '../dataset/dataset.js';
import { MANIFEST } from '../dataset/manifest.js';
import { type Channels, withChannels } from '../pixels.js';
import { openFolder } from '../sources/folder.js';
import { DECODERS, mapOrdered } from './ordered.js';

export interface ImageOptions {
  /** Side to which the images of a folder or of an encoded dataset are brought; other kinds must have it already. */
  resolution?: number;
  /** Channels wanted; default: those of the images. */
  channels?: Channels;
  /** How the images of a folder are brought to the resolution, default center-crop. */
  resize?: ResizeMethod;
  /** Where `-` reads from, default standard input. */
  stdin?: AsyncIterable<Uint8Array>;
}

export interface ImageBatch {
  /** uint8 [count, height, width, channels]; a fresh array in every batch. */
  data: Uint8Array;
  count: number;
  labels?: Int32Array;
  ids: string[];
}

export interface ImageSet {
  kind: 'dataset' | 'folder' | 'npy' | 'stream';
  path: string;
  count: number;
  height: number;
  width: number;
  channels: Channels;
  /** Names by class number; absent without labels. */
  classes?: string[];
  /**
   * SHA-256: of a dataset's shards and classes, of the .npy file, or of all names and contents of a folder; undefined
   * for a stream.
   */
  digest: string | undefined;
  /** All images in order; a stream can be read once. */
  batches(size: number): AsyncIterable<ImageBatch>;
  /** The images of these numbers, in their order (dataset and npy only). */
  random?(indices: readonly number[]): Promise<Uint8Array>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens a dataset folder, a folder of images, an .npy file of uint8 images, or `-`: an .npy stream. */
export async function openImages(path: string, options: ImageOptions = {}): Promise<ImageSet> {
  const images = await openKind(path, options);
  return { ...images, [Symbol.asyncDispose]: images.close };
}

type Opened = Omit<ImageSet, typeof Symbol.asyncDispose>;

async function openKind(path: string, options: ImageOptions): Promise<Opened> {
  if (path === '-') return openStream(options);
  const status = await stat(path).catch(() => undefined);
  if (!status)
    throw expected(
      'a dataset, a folder of images, an .npy file or -',
      path,
      'no such file or folder',
      'check the path',
    );
  if (!status.isDirectory()) {
    if (!/\.npy$/i.test(path)) throw expected('a dataset, a folder of images, an .npy file or -', path, 'another file');
    return openNpyImages(path, options);
  }
  return (await exists(join(path, MANIFEST))) ? openPrepared(path, options) : openImageFolder(path, options);
}

async function openPrepared(path: string, options: ImageOptions): Promise<Opened> {
  const dataset = await openDataset(path, options);
  const shape = arrayShape([dataset.count, dataset.height, dataset.width, dataset.channels], path, options);
  const labels = await dataset.labels();
  const ids = await dataset.ids();
  async function* batches(size: number): AsyncGenerator<ImageBatch> {
    for (let first = 0; first < dataset.count; first += size) {
      const count = Math.min(size, dataset.count - first);
      const data = shape.convert(await dataset.read(first, count));
      yield { data, count, labels: labels?.slice(first, first + count), ids: ids.slice(first, first + count) };
    }
  }
  const random = async (indices: readonly number[]) => shape.convert(await dataset.gather(indices));
  const { classes, digest, close } = dataset;
  return { kind: 'dataset', path, ...shape.extents, classes, digest, batches, random, close };
}

async function openNpyImages(path: string, options: ImageOptions): Promise<Opened> {
  const file = await openNpyRows(path);
  try {
    if (file.dtype !== 'uint8') throw wrongType(file.dtype, path);
    const shape = arrayShape(file.shape, path, options);
    const digest = await sha256File(path);
    const read = async (first: number, count: number) => shape.convert((await file.rows(first, count)) as Uint8Array);
    async function* batches(size: number): AsyncGenerator<ImageBatch> {
      for (let first = 0; first < file.shape[0]; first += size) {
        const count = Math.min(size, file.shape[0] - first);
        yield { data: await read(first, count), count, ids: numbered(first, count) };
      }
    }
    const random = async (indices: readonly number[]) => {
      const images = await Promise.all(indices.map((index) => read(index, 1)));
      return new Uint8Array(Buffer.concat(images));
    };
    return { kind: 'npy', path, ...shape.extents, digest, batches, random, close: file.close };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openStream(options: ImageOptions): Promise<Opened> {
  const stream = await readNpyStream(options.stdin ?? process.stdin);
  const { dtype, shape: extents } = stream.header;
  if (dtype !== 'uint8') throw wrongType(dtype, 'standard input');
  const shape = arrayShape(extents, 'standard input', options);
  async function* batches(size: number): AsyncGenerator<ImageBatch> {
    let first = 0;
    for await (const rows of stream.rows(size)) {
      const count = Math.min(size, extents[0] - first);
      yield { data: shape.convert(rows as Uint8Array), count, ids: numbered(first, count) };
      first += count;
    }
  }
  return { kind: 'stream', path: '-', ...shape.extents, digest: undefined, batches, close: async () => {} };
}

async function openImageFolder(path: string, options: ImageOptions): Promise<Opened> {
  const { resolution, resize = 'center-crop' } = options;
  const source = await openFolder(path);
  const first = await explained(source.files[0], () => decodeAsIs(source.files[0]));
  const channels = options.channels ?? first.channels;
  const [height, width] = resolution ? [resolution, resolution] : [first.height, first.width];
  const decode = (file: string) =>
    explained(file, async () => {
      if (resolution) return decodeImage(file, { resolution, resize, channels });
      const image = await decodeAsIs(file);
      if (image.height !== height || image.width !== width) {
        const found = `${image.width} x ${image.height} in ${file}`;
        throw expected(
          `images of one size, ${width} x ${height} as the first`,
          path,
          found,
          'prepare them with bigbigan prep-data',
        );
      }
      if (image.channels > channels && !options.channels) {
        throw expected('grey images as the first', path, `colour in ${file}`, 'prepare them with bigbigan prep-data');
      }
      return withChannels(image, channels).data;
    });
  async function* batches(size: number): AsyncGenerator<ImageBatch> {
    let batch: { data: Uint8Array[]; labels: number[]; ids: string[] } = { data: [], labels: [], ids: [] };
    const complete = () => {
      const { data, labels, ids } = batch;
      batch = { data: [], labels: [], ids: [] };
      const joined = new Uint8Array(Buffer.concat(data));
      return { data: joined, count: ids.length, labels: source.classes && Int32Array.from(labels), ids };
    };
    const decoded = mapOrdered(
      source.items(() => true),
      DECODERS,
      async (item) => ({
        ...item,
        data: await decode(join(path, item.id)),
      }),
    );
    for await (const { data, label, id } of decoded) {
      batch.data.push(data);
      batch.labels.push(label ?? 0);
      batch.ids.push(id);
      if (batch.ids.length === size) yield complete();
    }
    if (batch.ids.length > 0) yield complete();
  }
  const { count, classes } = source;
  const digest = await folderDigest(source.files, path);
  return { kind: 'folder', path, count, height, width, channels, classes, digest, batches, close: async () => {} };
}

/** Checks [n, h, w, c] or [n, h, w] and gives the conversion to the channels wanted. */
export function arrayShape(shape: readonly number[], path: string, options: ImageOptions) {
  const [count, height, width, own = 1] = shape;
  if (shape.length < 3 || shape.length > 4 || (own !== 1 && own !== 3) || height * width === 0) {
    const planes = shape.length === 4 && (shape[1] === 3 || shape[1] === 1);
    const hint = planes ? 'channels come last: array.transpose(0, 2, 3, 1)' : 'save one array of all images';
    throw expected('images of shape [n, height, width, 1 or 3] or [n, height, width]', path, `[${shape}]`, hint);
  }
  if (count === 0) throw expected('at least one image', path, 'none');
  const { resolution, channels = own as Channels } = options;
  if (resolution && (height !== resolution || width !== resolution)) {
    throw expected(
      `images of ${resolution} x ${resolution}`,
      path,
      `${width} x ${height}`,
      'prepare them at that resolution',
    );
  }
  const convert = (data: Uint8Array) => {
    const rows = data.length / (width * own);
    return withChannels({ data, height: rows, width, channels: own as Channels }, channels).data;
  };
  return { extents: { count, height, width, channels }, convert };
}

function wrongType(dtype: string, path: string) {
  return expected('uint8 images, values 0 to 255', path, dtype, 'scale to 0..255, round, and save as uint8');
}

function numbered(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(first + i));
}

/** A decoder's complaint, with the file's name. */
export async function explained<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as Error).name === 'UserError') throw error;
    throw expected('an image', file, (error as Error).message, 'remove or repair the file');
  }
}

/** SHA-256 of the names, relative to `dir`, and contents of all files. */
export async function folderDigest(files: readonly string[], dir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const bytes = await readFile(file);
    hash.update(`${relative(dir, file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}
