/** Encoded images, of a folder, a zip archive or a dataset that keeps their own bytes, for a network. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeAsIs, decodeImage, RESAMPLING } from '../../../data/codec.js';
import { openDataset } from '../../../data/dataset/dataset.js';
import { folderKind, RUN } from '../../../data/folder-kind.js';
import { explained, folderDigest } from '../../../data/images/images.js';
import { DECODERS, mapOrdered } from '../../../data/images/ordered.js';
import type { Channels, Pixels } from '../../../data/pixels.js';
import { listImages } from '../../../data/sources/folder.js';
import { openZipImages } from '../../../data/sources/zip.js';
import { expected } from '../../../errors.js';
import { sha256File } from '../../../formats/digest.js';
import { readExactly } from '../../../formats/input.js';
import {
  checkSize,
  type FoundImages,
  type ImageRange,
  type MetricBatch,
  type MetricImages,
  type Wanted,
} from './metric-images.js';

interface Encoded {
  id: string;
  /** For errors. */
  name: string;
  /** Its bytes or the path of its file. */
  image: Uint8Array | string;
}

const LOSSY_NAME = /\.(jpe?g|jpe|jfif|webp|avif|heic)$/i;

export async function findFolder(path: string): Promise<FoundImages> {
  const kind = await folderKind(path);
  // Its sample sheets are images too, but hardly what is meant.
  if (kind === RUN) throw expected('images', path, kind, `make some of it: bigbigan generate --run ${path}`);
  const names = await listImages(path);
  const count = names.length;
  if (count === 0) {
    throw expected(
      'images (jpg, png, webp, gif, tif, avif)',
      path,
      kind ?? 'none',
      'name the folder that holds them; subfolders are searched too',
    );
  }
  const files = names.map((name) => join(path, name));
  async function* items({ first, end }: ImageRange): AsyncGenerator<Encoded> {
    for (const file of files.slice(first, end)) yield { id: file, name: file, image: file };
  }
  const open = async (wanted: Wanted): Promise<MetricImages> => {
    return {
      kind: 'folder',
      count,
      digest: await folderDigest(files, path),
      ...decoded(items, wanted),
      close: async () => {},
    };
  };
  return { count, open };
}

export async function findZip(path: string): Promise<FoundImages> {
  const zip = await openZipImages(path);
  const count = zip.names.length;
  async function* items({ first, end }: ImageRange): AsyncGenerator<Encoded> {
    for await (const { id, image } of zip.items((index) => index >= first && index < end)) {
      const name = `${id} in ${path}`;
      if ('error' in image) throw expected('an image', name, image.error, 'remove or repair the file');
      if ('bytes' in image) yield { id, name, image: image.bytes };
    }
  }
  const open = async (wanted: Wanted): Promise<MetricImages> => {
    return { kind: 'zip', count, digest: await sha256File(path), ...decoded(items, wanted), close: async () => {} };
  };
  return { count, open };
}

export async function openEncodedDataset(path: string, wanted: Wanted): Promise<MetricImages> {
  // Its view of the images is not used, only where their bytes lie.
  const dataset = await openDataset(path, { resolution: 1 });
  const ids = await dataset.ids();
  const read = async (index: number) => {
    const { path: file, offset, length } = await dataset.locate(index);
    const handle = await open(file, 'r');
    try {
      const bytes = new Uint8Array(length);
      await readExactly(handle, bytes, offset, file);
      return bytes;
    } finally {
      await handle.close();
    }
  };
  async function* items({ first, end }: ImageRange): AsyncGenerator<Encoded> {
    for (let index = first; index < end; index++) {
      yield { id: ids[index], name: `${ids[index]}, image ${index} of ${path}`, image: await read(index) };
    }
  }
  const { count, digest, close } = dataset;
  return { kind: 'dataset', count, digest, ...decoded(items, wanted), close };
}

/**
 * To the square that the network takes, by prep-data's center-crop, or in sizes of their own; a batch is of one size.
 */
function decoded(
  items: (range: ImageRange) => AsyncIterable<Encoded>,
  wanted: Wanted,
): Pick<MetricImages, 'batches' | 'resize' | 'lossy'> {
  const { height, width } = wanted;
  const square = height !== undefined && height === width ? height : undefined;
  const channels = wanted.channels as Channels | undefined;
  let lossy: string | undefined;
  const decode = ({ id, name, image }: Encoded) =>
    explained(name, async (): Promise<Pixels> => {
      if (LOSSY_NAME.test(id)) lossy ??= id;
      if (square === undefined) {
        const pixels = await decodeAsIs(image, channels);
        checkSize(wanted, pixels.height, pixels.width, name);
        return pixels;
      }
      const own = channels ?? 3;
      return {
        data: await decodeImage(image, { resolution: square, resize: 'center-crop', channels: own }),
        height: square,
        width: square,
        channels: own,
      };
    });
  async function* batches(size: number, range: ImageRange): AsyncGenerator<MetricBatch> {
    let batch: Pixels[] = [];
    for await (const pixels of mapOrdered(items(range), DECODERS, decode)) {
      if (batch.length > 0 && (batch.length === size || !sameSize(batch[0], pixels))) {
        yield joined(batch);
        batch = [];
      }
      batch.push(pixels);
    }
    if (batch.length > 0) yield joined(batch);
  }
  return {
    batches,
    lossy: () => lossy,
    resize: square === undefined ? undefined : `center-crop to ${square} (${RESAMPLING}) on reading`,
  };
}

function sameSize(a: Pixels, b: Pixels): boolean {
  return a.height === b.height && a.width === b.width && a.channels === b.channels;
}

function joined(batch: Pixels[]): MetricBatch {
  const [{ height, width, channels }] = batch;
  return {
    data: new Uint8Array(Buffer.concat(batch.map(({ data }) => data))),
    shape: [batch.length, height, width, channels],
  };
}
