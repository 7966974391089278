/**
 * A shard of encoded images: a .tar as WebDataset has them, with members 00000000.jpg and 00000000.cls (the class
 * number as text) and so on, numbered through all shards, and beside it an index for reading any image without a scan.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expected } from '../../errors.js';
import { openInput, readExactly, writeFully } from '../../formats/input.js';
import { readNpy, writeNpy } from '../../formats/npy/npy.js';
import { DECODERS, mapOrdered } from '../images/ordered.js';
import { TAR_BLOCK, TAR_END, tarMember } from '../tar-member.js';
import type { Shard } from './manifest.js';
import { undecodable, verified } from './shard-file.js';
import type { ShardReader, ShardSink } from './shard-types.js';
import { developImage, reasonOf } from './stored.js';

export interface EncodedView {
  /** Side of the squares that the images become, and their channels. */
  resolution: number;
  channels: 1 | 3;
}

/** Rows are the images' central squares at a resolution. The index is always checked, the images with `verify`. */
export async function openEncodedShard(
  dir: string,
  shard: Shard,
  view: EncodedView,
  verify: boolean,
): Promise<ShardReader> {
  const path = verify ? await verified(dir, shard.images) : join(dir, shard.images.file);
  const { handle, size } = await openInput(path, 'a .tar of images');
  try {
    const index = await readIndex(await verified(dir, shard.index!), shard, size);
    const recipe = { ...view, crop: 'center', seed: 0 } as const;
    const image = async (row: number) => {
      const { offset, length } = index[row];
      const bytes = new Uint8Array(length);
      await readExactly(handle, bytes, offset, path);
      try {
        return await developImage(bytes, recipe, 0, 0);
      } catch (error) {
        throw await undecodable(dir, shard, row, reasonOf(error));
      }
    };
    const rows = async (first: number, count: number) => {
      const length = view.resolution ** 2 * view.channels;
      const target = new Uint8Array(count * length);
      let at = 0;
      const wanted = Array.from({ length: count }, (_, i) => first + i);
      for await (const pixels of mapOrdered(wanted, DECODERS, image)) target.set(pixels, length * at++);
      return target;
    };
    return { rows, locate: async (row) => ({ path, ...index[row] }), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readIndex(path: string, { rows, images }: Shard, size: number) {
  const { dtype, shape, data } = await readNpy(path);
  if (dtype !== 'int64' || String(shape) !== String([rows, 2])) {
    throw expected(`int64 [${rows},2] as dataset.json says`, path, `${dtype} [${shape}]`, 'prepare the dataset again');
  }
  let free = TAR_BLOCK;
  return Array.from({ length: rows }, (_, row) => {
    const [offset, length] = [Number(data[2 * row]), Number(data[2 * row + 1])];
    if (offset < free || offset % TAR_BLOCK !== 0 || length < 1 || offset + length > size - TAR_END.length) {
      const found = `${length} bytes from ${offset} on`;
      throw expected(
        `a place in the ${size} bytes of ${images.file}`,
        `row ${row} of ${path}`,
        found,
        'prepare the dataset again',
      );
    }
    free = offset + length + TAR_BLOCK;
    return { offset, length };
  });
}

/** `first` is the number of the shard's first image in the dataset. */
export async function createEncodedShard(path: string, indexPath: string, first: number): Promise<ShardSink> {
  const handle = await open(path, 'wx');
  const index: number[] = [];
  let position = 0;
  const write = async (bytes: Uint8Array) => {
    await writeFully(handle, bytes, position);
    position += bytes.length;
  };
  return {
    append: async ({ bytes, extension }, label) => {
      const key = String(first + index.length / 2).padStart(8, '0');
      index.push(position + TAR_BLOCK, bytes.length);
      await write(tarMember(`${key}.${extension}`, bytes));
      if (label !== undefined) await write(tarMember(`${key}.cls`, Buffer.from(String(label))));
    },
    close: async () => {
      await write(TAR_END);
      await handle.sync();
      await handle.close();
      await writeNpy(indexPath, [index.length / 2, 2], BigInt64Array.from(index, BigInt));
    },
    abort: () => handle.close(),
  };
}
