/** A prepared dataset: shards of images, seen as uint8 pixels of one size, with random access. */
import { expected, type UserError } from '../../errors.js';
import { DECODERS, mapOrdered } from '../images/ordered.js';
import { readLabels } from '../labels.js';
import { openEncodedShard } from './encoded-shard.js';
import { type DatasetManifest, readManifest, type Shard, type Storage } from './manifest.js';
import { openPixelShard } from './pixel-shard.js';
import { present, readIds, undecodable, verified } from './shard-file.js';
import type { ShardReader } from './shard-types.js';
import type { Location } from './stored.js';

/** Up to this size the shards' digests are checked on first use; beyond it only their shapes and lengths. */
const VERIFIED_BYTES = 4 * 2 ** 30;

export interface DatasetView {
  /** Side of the squares that encoded images become: their central square, as by prep-data's center-crop. */
  resolution?: number;
  /** Channels that encoded images become; default: those that the manifest states. */
  channels?: 1 | 3;
}

export interface Dataset {
  path: string;
  manifest: DatasetManifest;
  storage: Storage;
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
  /** Where the bytes of an image lie, as they are stored. */
  locate(index: number): Promise<Location>;
  /** The error for an image whose bytes say no image, by its id, file and row. */
  undecodable(index: number, reason: string): Promise<UserError>;
  /** All class numbers; undefined without labels. */
  labels(): Promise<Int32Array | undefined>;
  /** All ids. */
  ids(): Promise<string[]>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface OpenShard extends Shard {
  first: number;
  open(): Promise<ShardReader>;
  close(): Promise<void>;
}

/**
 * Opens a dataset folder; every shard is checked against the manifest, on first use against its digest. Encoded images
 * have sizes of their own, so their dataset needs a resolution; pixels have the size that they were prepared at,
 * whatever the view.
 */
export async function openDataset(dir: string, view: DatasetView = {}): Promise<Dataset> {
  const { manifest, digest } = await readManifest(dir);
  const { count, classes, storage = 'pixels' } = manifest;
  const { height, width, channels } = imageShape(dir, manifest, view);
  const imageLength = height * width * channels;
  const sizes = await Promise.all(manifest.shards.map(({ images }) => present(dir, images)));
  const verify = sizes.reduce((sum, size) => sum + size, 0) <= VERIFIED_BYTES;
  let first = 0;
  const shards = manifest.shards.map((shard): OpenShard => {
    const start = first;
    first += shard.rows;
    let opened: Promise<ShardReader> | undefined;
    const open = () =>
      storage === 'encoded'
        ? openEncodedShard(dir, shard, { resolution: height, channels }, verify)
        : openPixelShard(dir, shard, { height, width, channels }, verify);
    return {
      ...shard,
      first: start,
      open: () => (opened ??= open()),
      close: async () => (await opened?.catch(() => undefined))?.close(),
    };
  });

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
      target.set(await (await shard.open()).rows(start, length), (at + done) * imageLength);
      done += length;
    }
  };
  const close = async () => {
    await Promise.all(shards.map((shard) => shard.close()));
  };
  return {
    path: dir,
    manifest,
    storage,
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
      const copied = mapOrdered(Array.from(indices).entries(), 8 * DECODERS, ([at, index]) =>
        copyRows(index, 1, target, at),
      );
      for await (const _ of copied);
      return target;
    },
    locate: async (index) => {
      const shard = shardOf(index);
      return (await shard.open()).locate(index - shard.first);
    },
    undecodable: async (index, reason) => {
      const shard = shardOf(index);
      return undecodable(dir, shard, index - shard.first, reason);
    },
    labels: async () => (classes ? readAllLabels(dir, manifest) : undefined),
    ids: async () => (await Promise.all(shards.map((shard) => readIds(dir, shard)))).flat(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function imageShape(dir: string, manifest: DatasetManifest, view: DatasetView) {
  if (manifest.storage !== 'encoded')
    return { height: manifest.height!, width: manifest.width!, channels: manifest.channels };
  const { resolution, channels = manifest.channels } = view;
  if (!resolution) {
    const hint = 'a model or an extractor states one; or prepare it with --store pixels --resolution N';
    throw expected('a resolution', `${dir}, whose images keep their own sizes`, 'none', hint);
  }
  return { height: resolution, width: resolution, channels };
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
