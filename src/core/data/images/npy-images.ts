/** An .npy file of images. */
import { sha256File } from '../../formats/digest.js';
import { openNpyRows } from '../../formats/npy/npy.js';
import { orClose } from '../or-close.js';
import { arrayShape, checkPixelType, numbered } from './array-images.js';
import type { FoundImages, ImageBatch } from './image-set.js';
import { type RowImages, rowImages } from './row-images.js';

export async function findNpy(path: string): Promise<FoundImages> {
  const file = await openNpyRows(path);
  await file.close();
  checkPixelType(file.dtype, path);
  const { count } = arrayShape(file.shape, path, {}).extents;
  return rowImages({ kind: 'npy', path, count, open: opener(path) });
}

const opener =
  (path: string): RowImages['open'] =>
  async (options) =>
    orClose(await openNpyRows(path), async (file) => {
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
      const { close } = file;
      return { kind: 'npy', path, ...shape.extents, digest, batches, random, close, [Symbol.asyncDispose]: close };
    });
