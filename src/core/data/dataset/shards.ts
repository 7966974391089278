/** Writes the shards and the manifest of a dataset into a folder. */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256File } from '../../formats/digest.js';
import { writeNpy } from '../../formats/npy/npy.js';
import { createEncodedShard } from './encoded-shard.js';
import { type DatasetManifest, MANIFEST, manifestText, type Shard, type ShardFile } from './manifest.js';
import { createPixelShard, type PixelShape } from './pixel-shard.js';
import type { ShardSink, StoredImage } from './shard-types.js';

export interface ShardOptions {
  /** Of pixels; without it the images stay encoded. */
  shape?: PixelShape;
  /** Of pixels, or what encoded images are decoded to. */
  channels: 1 | 3;
  /** Images in a shard; the last one has what is left. */
  shardSize: number;
  labelled: boolean;
}

export interface ShardWriter {
  readonly count: number;
  append(image: StoredImage, id: string, label?: number): Promise<void>;
  /** Completes the shards, names them with their number, and writes dataset.json with the rest of its fields. */
  finish(
    fields: Pick<DatasetManifest, 'version' | 'classes' | 'skipped' | 'part' | 'preparation'>,
  ): Promise<DatasetManifest>;
  abort(): Promise<void>;
}

interface OpenShard {
  images: ShardSink;
  rows: number;
  labels: number[];
  ids: string[];
}

export function createShards(dir: string, { shape, channels, shardSize, labelled }: ShardOptions): ShardWriter {
  const extension = shape ? 'npy' : 'tar';
  const rows: number[] = [];
  let count = 0;
  let shard: OpenShard | undefined;

  // The number of shards is known only at the end, so until then their names lack it.
  const name = (kind: string, index: number, extension: string, total?: number) => {
    const five = (n: number) => String(n).padStart(5, '0');
    return `${kind}-${five(index)}${total === undefined ? '' : `-of-${five(total)}`}.${extension}`;
  };
  const beginShard = async (): Promise<OpenShard> => {
    const path = join(dir, name('images', rows.length, extension));
    const index = join(dir, name('index', rows.length, 'npy'));
    const images = await (shape ? createPixelShard(path, shape) : createEncodedShard(path, index, count));
    return { images, rows: 0, labels: [], ids: [] };
  };
  const closeShard = async () => {
    if (!shard) return;
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
    append: async (image, id, label) => {
      shard ??= await beginShard();
      await shard.images.append(image, label);
      shard.labels.push(label ?? -1);
      shard.ids.push(id.replace(/[\r\n]/g, ' '));
      shard.rows++;
      count++;
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
        const images = await settle('images', extension);
        const places = shape ? undefined : await settle('index', 'npy');
        const labels = labelled ? await settle('labels', 'npy') : undefined;
        const ids = await settle('ids', 'txt');
        shards.push({ rows: n, images, ...(places && { index: places }), ...(labels && { labels }), ids });
      }
      const { version, classes, ...rest } = fields;
      const storage = shape ? ('pixels' as const) : ('encoded' as const);
      const size = shape && { height: shape.height, width: shape.width };
      const manifest = { version, storage, count, ...size, channels, ...(classes && { classes }), ...rest, shards };
      await writeFile(join(dir, MANIFEST), manifestText(manifest), { flush: true });
      return { format: 'bigbigan dataset 1', ...manifest };
    },
    abort: async () => shard?.images.abort(),
  };
}
