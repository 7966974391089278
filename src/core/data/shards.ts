/** Writes the shards and the manifest of a dataset into a folder. */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256File } from '../formats/digest.js';
import { writeNpy, createNpyWriter, type NpyWriter } from '../formats/npy.js';
import { MANIFEST, manifestText, type DatasetManifest, type Shard, type ShardFile } from './manifest.js';

/** Bytes of pixels gathered before they are written. */
const BUFFER_BYTES = 4 * 2 ** 20;

export interface ShardOptions {
  height: number;
  width: number;
  channels: 1 | 3;
  /** Images in a shard; the last one has what is left. */
  shardSize: number;
  labelled: boolean;
}

export interface ShardWriter {
  readonly count: number;
  append(pixels: Uint8Array, id: string, label?: number): Promise<void>;
  /** Completes the shards, names them with their number, and writes dataset.json with the rest of its fields. */
  finish(fields: Pick<DatasetManifest, 'version' | 'classes' | 'skipped' | 'part' | 'preparation'>): Promise<DatasetManifest>;
  abort(): Promise<void>;
}

interface OpenShard {
  images: NpyWriter;
  rows: number;
  labels: number[];
  ids: string[];
}

export function createShards(dir: string, { height, width, channels, shardSize, labelled }: ShardOptions): ShardWriter {
  const imageLength = height * width * channels;
  const buffered = Math.max(1, Math.floor(BUFFER_BYTES / imageLength));
  const buffer = new Uint8Array(buffered * imageLength);
  const rows: number[] = [];
  let waiting = 0;
  let count = 0;
  let shard: OpenShard | undefined;

  // The number of shards is known only at the end, so until then their names lack it.
  const name = (kind: string, index: number, extension: string, total?: number) => {
    const five = (n: number) => String(n).padStart(5, '0');
    return `${kind}-${five(index)}${total === undefined ? '' : `-of-${five(total)}`}.${extension}`;
  };
  const flush = async () => {
    if (waiting > 0) await shard!.images.append(buffer.subarray(0, waiting * imageLength));
    waiting = 0;
  };
  const closeShard = async () => {
    if (!shard) return;
    await flush();
    await shard.images.close();
    const index = rows.length;
    if (labelled) await writeNpy(join(dir, name('labels', index, 'npy')), [shard.rows], Int32Array.from(shard.labels));
    await writeFile(join(dir, name('ids', index, 'txt')), shard.ids.map((id) => `${id}\n`).join(''), { flush: true });
    rows.push(shard.rows);
    shard = undefined;
  };
  return {
    get count() {
      return count;
    },
    append: async (pixels, id, label) => {
      if (pixels.length !== imageLength) throw new RangeError(`${id} has ${pixels.length} values, not ${imageLength}`);
      if (!shard) {
        const path = join(dir, name('images', rows.length, 'npy'));
        shard = { images: await createNpyWriter(path, 'uint8', [height, width, channels]), rows: 0, labels: [], ids: [] };
      }
      buffer.set(pixels, waiting++ * imageLength);
      shard.labels.push(label ?? -1);
      shard.ids.push(id.replace(/[\r\n]/g, ' '));
      shard.rows++;
      count++;
      if (waiting === buffered) await flush();
      if (shard.rows === shardSize) await closeShard();
    },
    finish: async (fields) => {
      await closeShard();
      const shards: Shard[] = [];
      for (const [index, n] of rows.entries()) {
        const settle = async (kind: string, extension: string): Promise<ShardFile> => {
          const file = name(kind, index, extension, rows.length);
          await rename(join(dir, name(kind, index, extension)), join(dir, file));
          return { file, sha256: await sha256File(join(dir, file)) };
        };
        const images = await settle('images', 'npy');
        const labels = labelled ? await settle('labels', 'npy') : undefined;
        shards.push({ rows: n, images, ...(labels && { labels }), ids: await settle('ids', 'txt') });
      }
      const { version, classes, ...rest } = fields;
      const manifest = { version, count, height, width, channels, ...(classes && { classes }), ...rest, shards };
      await writeFile(join(dir, MANIFEST), manifestText(manifest), { flush: true });
      return { format: 'bigbigan dataset 1', ...manifest };
    },
    abort: async () => shard?.images.abort(),
  };
}
