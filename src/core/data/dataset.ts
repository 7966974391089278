/** A prepared dataset: shards of uint8 images of one size, with random access. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expected } from '../errors.js';
import { sha256File } from '../formats/digest.js';
import { openNpyRows, type NpyRows } from '../formats/npy.js';
import { readLabels } from './labels.js';
import { readManifest, type DatasetManifest, type Shard, type ShardFile } from './manifest.js';

/** Up to this size the shards' digests are checked on first use; beyond it only their shapes and lengths. */
const VERIFIED_BYTES = 4 * 2 ** 30;

export interface Dataset {
  path: string;
  manifest: DatasetManifest;
  /** SHA-256 over the digests of all shards and the class names. */
  digest: string;
  count: number;
  height: number;
  width: number;
  channels: 1 | 3;
  classes?: string[];
  /** `count` images from `first` on: uint8 [count, height, width, channels]. */
  read(first: number, count: number): Promise<Uint8Array>;
  /** The images of these numbers, in their order. */
  gather(indices: ArrayLike<number>): Promise<Uint8Array>;
  /** All class numbers; undefined without labels. */
  labels(): Promise<Int32Array | undefined>;
  /** All ids. */
  ids(): Promise<string[]>;
  close(): Promise<void>;
}

interface OpenShard extends Shard {
  first: number;
  open(): Promise<NpyRows>;
  close(): Promise<void>;
}

/** Opens a dataset folder; every shard is checked against the manifest, on first use against its digest. */
export async function openDataset(dir: string): Promise<Dataset> {
  const { manifest, digest } = await readManifest(dir);
  const { count, height, width, channels, classes } = manifest;
  const imageLength = height * width * channels;
  const verify = count * imageLength <= VERIFIED_BYTES;
  let first = 0;
  const shards = manifest.shards.map((shard): OpenShard => {
    const start = first;
    first += shard.rows;
    let opened: Promise<NpyRows> | undefined;
    return {
      ...shard,
      first: start,
      open: () => (opened ??= openShard(dir, shard, [shard.rows, height, width, channels], verify)),
      close: async () => (await opened?.catch(() => undefined))?.close(),
    };
  });
  await Promise.all(shards.map(({ images }) => present(dir, images)));

  const shardOf = (index: number) => {
    const shard = shards.findLast((candidate) => candidate.first <= index);
    if (!shard || index >= count) throw new RangeError(`image ${index} of ${dir}, which has ${count}`);
    return shard;
  };
  const copyRows = async (from: number, rows: number, target: Uint8Array, at: number) => {
    for (let done = 0; done < rows; ) {
      const shard = shardOf(from + done);
      const start = from + done - shard.first;
      const length = Math.min(rows - done, shard.rows - start);
      target.set((await (await shard.open()).rows(start, length)) as Uint8Array, (at + done) * imageLength);
      done += length;
    }
  };
  return {
    path: dir,
    manifest,
    digest,
    count,
    height,
    width,
    channels,
    classes,
    read: async (from, rows) => {
      const target = new Uint8Array(rows * imageLength);
      await copyRows(from, rows, target, 0);
      return target;
    },
    gather: async (indices) => {
      const target = new Uint8Array(indices.length * imageLength);
      await Promise.all(Array.from(indices, (index, at) => copyRows(index, 1, target, at)));
      return target;
    },
    labels: async () => (classes ? readAllLabels(dir, manifest) : undefined),
    ids: async () => {
      const texts = await Promise.all(shards.map(async ({ ids }) => readFile(await verified(dir, ids), 'utf8')));
      return texts.flatMap((text) => text.split('\n').slice(0, -1));
    },
    close: async () => {
      await Promise.all(shards.map((shard) => shard.close()));
    },
  };
}

async function openShard(dir: string, shard: Shard, shape: number[], verify: boolean): Promise<NpyRows> {
  const path = verify ? await verified(dir, shard.images) : join(dir, shard.images.file);
  const rows = await openNpyRows(path);
  if (rows.dtype !== 'uint8' || String(rows.shape) !== String(shape)) {
    await rows.close();
    throw expected(`uint8 [${shape}] as dataset.json says`, path, `${rows.dtype} [${rows.shape}]`, 'prepare the dataset again');
  }
  return rows;
}

async function readAllLabels(dir: string, { shards, count, classes }: DatasetManifest): Promise<Int32Array> {
  const all = new Int32Array(count);
  let first = 0;
  for (const { rows, labels } of shards) {
    const path = await verified(dir, labels!);
    const part = await readLabels(path, rows);
    const wrong = part.findIndex((label) => label >= classes!.length);
    if (wrong >= 0) throw expected(`a class below ${classes!.length}`, `row ${wrong} of ${path}`, `${part[wrong]}`);
    all.set(part, first);
    first += rows;
  }
  return all;
}

async function present(dir: string, { file }: ShardFile): Promise<void> {
  await stat(join(dir, file)).catch(() => {
    throw expected(`the shard ${file}`, dir, 'no such file', 'the dataset is incomplete: prepare it again');
  });
}

/** The path of a file of the dataset whose content is the recorded one. */
async function verified(dir: string, { file, sha256 }: ShardFile): Promise<string> {
  await present(dir, { file, sha256 });
  const path = join(dir, file);
  const found = await sha256File(path);
  if (found !== sha256) {
    throw expected(`SHA-256 ${sha256} as dataset.json says`, path, found, 'the file is damaged: prepare the dataset again');
  }
  return path;
}
