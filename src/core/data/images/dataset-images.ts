/** A dataset that prep-data made. */
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../../formats/exists.js';
import { readExactly } from '../../formats/input.js';
import { openDataset } from '../dataset/dataset.js';
import { MANIFEST, readManifest } from '../dataset/manifest.js';
import { orClose } from '../or-close.js';
import { arrayShape } from './array-images.js';
import { type EncodedImage, forNetwork } from './encoded-images.js';
import type { FoundImages, ImageBatch, ImageRange, NetworkImages, WantedImage } from './image-set.js';
import { type RowImages, rowImages } from './row-images.js';

export const isDataset = (path: string): Promise<boolean> => exists(join(path, MANIFEST));

export async function findDataset(path: string): Promise<FoundImages> {
  const { manifest } = await readManifest(path);
  const { count, storage, preparation } = manifest;
  const { resize, resolution, resampling } = preparation;
  const prepared = resize ? `${resize} to ${resolution} (${resampling}) by prep-data` : undefined;
  const found = rowImages({ kind: 'dataset', path, count, open: opener(path), resize: prepared });
  return storage === 'encoded' ? { ...found, openForNetwork: (wanted) => openEncoded(path, wanted) } : found;
}

const opener =
  (path: string): RowImages['open'] =>
  async (options) =>
    orClose(await openDataset(path, options), async (dataset) => {
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
      return {
        kind: 'dataset',
        path,
        ...shape.extents,
        classes,
        digest,
        batches,
        random,
        close,
        [Symbol.asyncDispose]: close,
      };
    });

/** Images that were stored as they came, in sizes of their own. */
async function openEncoded(path: string, wanted: WantedImage): Promise<NetworkImages> {
  // Its view of the images is not used, only where their bytes lie.
  const dataset = await openDataset(path, { resolution: 1 });
  const ids = await orClose(dataset, () => dataset.ids());
  const read = async (index: number) => {
    const { path: file, offset, length } = await dataset.locate(index);
    const handle = await openFile(file, 'r');
    try {
      const bytes = new Uint8Array(length);
      await readExactly(handle, bytes, offset, file);
      return bytes;
    } finally {
      await handle.close();
    }
  };
  async function* items({ first, end }: ImageRange): AsyncGenerator<EncodedImage> {
    for (let index = first; index < end; index++) {
      yield { id: ids[index], name: `${ids[index]}, image ${index} of ${path}`, image: await read(index) };
    }
  }
  const { count, digest, close } = dataset;
  return { kind: 'dataset', count, digest, ...forNetwork(items, wanted), close };
}
