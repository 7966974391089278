/** `dataset.json`: what a dataset folder holds and how it was made. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expected } from '../../errors.js';
import { sha256 } from '../../formats/digest.js';
import { type FolderKind, hasFormat } from '../../formats/own-folder.js';
import { folderKind } from '../folder-kind.js';

export const MANIFEST = 'dataset.json';
const FORMAT = 'bigbigan dataset 1';

/** The folder as a whole. */
export const DATASET_FOLDER: FolderKind = {
  marker: MANIFEST,
  isOurs: hasFormat(FORMAT),
  holds: (name) => /^(images|labels|index|ids)-\d{5,}-of-\d{5,}\.(npy|tar|txt)$/.test(name),
};

export const STORAGES = ['pixels', 'encoded'] as const;
export type Storage = (typeof STORAGES)[number];

export interface ShardFile {
  file: string;
  sha256: string;
}

export interface Shard {
  rows: number;
  /** Pixels: .npy of uint8 [rows, height, width, channels]. Encoded: .tar of the images' own bytes. */
  images: ShardFile;
  /** Of encoded images: int64 [rows, 2], where each image's bytes begin in the .tar and how many they are. */
  index?: ShardFile;
  /** int32 [rows]; absent without labels */
  labels?: ShardFile;
  /** One line an image: its path in the source, or its number. */
  ids: ShardFile;
}

export interface DatasetManifest {
  format: typeof FORMAT;
  /** Of the program that wrote it. */
  version: string;
  /** Pixels of one size, or encoded images of any; absent in older datasets, which hold pixels. */
  storage?: Storage;
  count: number;
  /** Of pixels; encoded images have their own. */
  height?: number;
  width?: number;
  /** Of pixels; what encoded images are decoded to unless other channels are asked for. */
  channels: 1 | 3;
  /** Names by class number; absent without labels. */
  classes?: string[];
  /** Images of the source that could not be decoded. */
  skipped: number;
  /** The part of the source that this is. */
  part: 'all' | 'training' | 'holdout';
  /** Source, resize method and everything else that decided the pixels. */
  preparation: Record<string, unknown>;
  shards: Shard[];
}

export function manifestText(manifest: Omit<DatasetManifest, 'format'>): string {
  return `${JSON.stringify({ format: FORMAT, ...manifest }, null, 2)}\n`;
}

/**
 * Reads and checks a manifest. The digest stands for the whole dataset: it covers the digests of all shards and the
 * class names, but not where the images came from, so that the same images have the same digest everywhere.
 */
export async function readManifest(dir: string): Promise<{ manifest: DatasetManifest; digest: string }> {
  const path = join(dir, MANIFEST);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found =
      code === 'ENOENT'
        ? ((await folderKind(dir)) ?? `no ${MANIFEST}`)
        : code === 'ENOTDIR'
          ? 'a file'
          : (code ?? String(error));
    throw expected('a dataset folder', dir, found, 'make one with bigbigan prep-data');
  }
  let manifest: DatasetManifest;
  try {
    manifest = JSON.parse(text) as DatasetManifest;
  } catch (error) {
    throw expected('JSON', path, (error as Error).message, 'the dataset is damaged: prepare it again');
  }
  check(manifest, path);
  const { shards, classes } = manifest;
  const digests = shards.map(({ images, labels }) => [images.sha256, labels?.sha256 ?? null]);
  return { manifest, digest: sha256(JSON.stringify([digests, classes ?? null])) };
}

function check(manifest: DatasetManifest, path: string): void {
  if (manifest?.format !== FORMAT) {
    throw expected(
      `the format "${FORMAT}"`,
      path,
      JSON.stringify(manifest?.format) ?? 'none',
      'prepare the dataset again',
    );
  }
  const { count, height, width, channels, shards, classes, storage = 'pixels' } = manifest;
  if (!STORAGES.includes(storage)) {
    throw expected(`storage ${STORAGES.join(' or ')}`, path, JSON.stringify(storage), 'prepare the dataset again');
  }
  const encoded = storage === 'encoded';
  const sizes = encoded ? [count] : [count, height, width];
  const whole = sizes.every((n) => Number.isSafeInteger(n) && n! > 0) && (channels === 1 || channels === 3);
  const named = (file?: ShardFile) => /^[\w.-]+$/.test(file?.file ?? '') && /^[0-9a-f]{64}$/.test(file?.sha256 ?? '');
  const sound =
    whole &&
    Array.isArray(shards) &&
    shards.every(
      (shard) => shard.rows > 0 && named(shard.images) && named(shard.ids) && (!encoded || named(shard.index)),
    ) &&
    shards.every((shard) => Boolean(classes) === Boolean(shard.labels) && (!shard.labels || named(shard.labels))) &&
    shards.reduce((sum, { rows }) => sum + rows, 0) === count;
  if (!sound) {
    throw expected('counts, sizes and shards that agree', path, 'others', 'the dataset is damaged: prepare it again');
  }
}
