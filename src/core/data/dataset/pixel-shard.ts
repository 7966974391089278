/** A shard of pixels: an .npy file of uint8 [rows, height, width, channels]. */
import { join } from 'node:path';
import { expected } from '../../errors.js';
import { withInput } from '../../formats/input.js';
import { createNpyWriter, openNpyRows, readNpyHeader } from '../../formats/npy/npy.js';
import type { Shard } from './manifest.js';
import { verified } from './shard-file.js';
import type { ShardReader, ShardSink } from './shard-types.js';

/** Bytes of pixels gathered before they are written. */
const BUFFER_BYTES = 4 * 2 ** 20;

export interface PixelShape {
  height: number;
  width: number;
  channels: 1 | 3;
}

/** Checked against the manifest, and with `verify` against its digest. */
export async function openPixelShard(
  dir: string,
  shard: Shard,
  shape: PixelShape,
  verify: boolean,
): Promise<ShardReader> {
  const path = verify ? await verified(dir, shard.images) : join(dir, shard.images.file);
  const { height, width, channels } = shape;
  const wanted = [shard.rows, height, width, channels];
  const rows = await openNpyRows(path);
  if (rows.dtype !== 'uint8' || String(rows.shape) !== String(wanted)) {
    await rows.close();
    throw expected(
      `uint8 [${wanted}] as dataset.json says`,
      path,
      `${rows.dtype} [${rows.shape}]`,
      'prepare the dataset again',
    );
  }
  let dataOffset: Promise<number> | undefined;
  const locate = async (row: number) => {
    dataOffset ??= withInput(path, 'an .npy file', async (file) => (await readNpyHeader(file, path)).dataOffset);
    const { rowLength: length } = rows;
    return { path, offset: (await dataOffset) + row * length, length };
  };
  return { rows: async (first, count) => (await rows.rows(first, count)) as Uint8Array, locate, close: rows.close };
}

export async function createPixelShard(path: string, { height, width, channels }: PixelShape): Promise<ShardSink> {
  const imageLength = height * width * channels;
  const buffered = Math.max(1, Math.floor(BUFFER_BYTES / imageLength));
  const buffer = new Uint8Array(buffered * imageLength);
  const images = await createNpyWriter(path, 'uint8', [height, width, channels]);
  let waiting = 0;
  const flush = async () => {
    if (waiting > 0) await images.append(buffer.subarray(0, waiting * imageLength));
    waiting = 0;
  };
  return {
    append: async ({ bytes }) => {
      if (bytes.length !== imageLength) throw new RangeError(`an image has ${bytes.length} values, not ${imageLength}`);
      buffer.set(bytes, waiting++ * imageLength);
      if (waiting === buffered) await flush();
    },
    close: async () => {
      await flush();
      await images.close();
    },
    abort: images.abort,
  };
}
