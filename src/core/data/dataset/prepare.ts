/** From sources to dataset folders: list, choose, decode, write. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expected, UserError } from '../../errors.js';
import { beginFolder, type PendingFolder } from '../../formats/atomic.js';
import { exists } from '../../formats/exists.js';
import { checkReplaceable } from '../../formats/own-folder.js';
import { CONVERSIONS, type Fit, RESAMPLING, type ResizeMethod } from '../codec.js';
import { fitted, kept } from '../convert.js';
import { DECODERS, mapOrdered } from '../images/ordered.js';
import type { Channels } from '../pixels.js';
import { concatenate } from '../sources/concatenate.js';
import { openSource, recogniseFormat } from '../sources/recognise.js';
import type { ImageSource, SourceFormat, SourceImage, SourceItem } from '../sources/source.js';
import { DATASET_FOLDER, type DatasetManifest, MANIFEST, readManifest } from './manifest.js';
import { type Selection, select } from './select.js';
import type { StoredImage } from './shard-types.js';
import { createShards, type ShardWriter } from './shards.js';
import { reasonOf } from './stored.js';

export interface PrepareOptions {
  sources: string[];
  out: string;
  /** Where the hold-out set goes; needed if `holdout` is above 0. */
  holdoutOut: string;
  /** Recognised if not stated. */
  format?: SourceFormat;
  /** Side of the squares that are stored as pixels; without it the images stay encoded, each of its own size. */
  resolution?: number;
  /** How images become squares, default center-crop. */
  resize?: ResizeMethod;
  /** Of the pixels, or what encoded images are decoded to by default; default: those that the format fixes, else 3. */
  channels?: Channels;
  limit?: number;
  holdout?: number;
  seed: number;
  shardSize: number;
  /** The label file of an IDX source. */
  labels?: string;
  /** A broken image is an error. */
  strict?: boolean;
  force?: boolean;
  /** Of this program, for the manifest. */
  version: string;
}

export interface PrepareEvents {
  recognised?(format: SourceFormat, source: ImageSource): void;
  selected?(selection: Selection): void;
  /** An image that is left out, and why. */
  skipped?(id: string, reason: string): void;
  progress?(done: number): void;
  /** Stops the work; nothing is left on disk. */
  signal?: AbortSignal;
}

export interface Prepared {
  main: DatasetManifest;
  holdout?: DatasetManifest;
  /** The datasets were there already, made from the same source with the same settings. */
  unchanged: boolean;
}

/** Writes one dataset folder, or two disjoint ones. Both appear whole or not at all. */
export async function prepareDataset(options: PrepareOptions, events: PrepareEvents = {}): Promise<Prepared> {
  const { sources: paths, holdout = 0 } = options;
  const format = options.format ?? (await recogniseFormat(paths[0]));
  await Promise.all(paths.map((path) => present(path)));
  const source = concatenate(await Promise.all(paths.map((path) => openSource(path, format, options.labels))), paths);
  events.recognised?.(format, source);
  const storing = storingOf(options, source);
  const preparation = await describe(options, source, storing);
  const found = await findUnchanged(options, preparation);
  if (found) return { ...found, unchanged: true };
  const selection = select(source.count, options);
  events.selected?.(selection);

  const parts = [await beginPart(options.out, options, storing, source)];
  try {
    if (holdout > 0) parts.push(await beginPart(options.holdoutOut, options, storing, source));
    await writeImages(source, selection, storing, parts, options, events);
    const manifests: DatasetManifest[] = [];
    for (const [which, { writer, skipped }] of parts.entries()) {
      const part = holdout === 0 ? 'all' : which === 0 ? 'training' : 'holdout';
      const { version } = options;
      manifests.push(await writer.finish({ version, classes: source.classes, skipped, part, preparation }));
    }
    // The training set comes last, so that where it is, its hold-out set is too.
    for (const { folder } of parts.reverse()) await folder.commit();
    return { main: manifests[0], holdout: manifests[1], unchanged: false };
  } catch (error) {
    for (const { folder, writer } of parts) {
      await writer.abort();
      await folder.abort();
    }
    throw error;
  }
}

interface Storing {
  channels: Channels;
  /** Undefined for images that stay encoded. */
  fit?: Fit;
  store(image: SourceImage): Promise<StoredImage>;
}

function storingOf({ resolution, resize = 'center-crop', channels }: PrepareOptions, source: ImageSource): Storing {
  const wanted = channels ?? source.channels ?? 3;
  if (resolution === undefined) return { channels: wanted, store: kept };
  const fit: Fit = { resolution, resize, channels: wanted };
  return { channels: wanted, fit, store: fitted(fit) };
}

interface PartInProgress {
  folder: PendingFolder;
  writer: ShardWriter;
  skipped: number;
}

async function beginPart(
  dir: string,
  options: PrepareOptions,
  storing: Storing,
  source: ImageSource,
): Promise<PartInProgress> {
  const folder = await beginFolder(dir, { force: options.force, kind: DATASET_FOLDER, inputs: inputsOf(options) });
  const { fit, channels } = storing;
  const shape = fit && { height: fit.resolution, width: fit.resolution, channels };
  const { shardSize } = options;
  const labelled = source.classes !== undefined;
  return { folder, writer: createShards(folder.path, { shape, channels, shardSize, labelled }), skipped: 0 };
}

/** What is read, and must not be replaced. */
function inputsOf({ sources, labels }: PrepareOptions): string[] {
  return labels === undefined ? sources : [...sources, labels];
}

async function writeImages(
  source: ImageSource,
  selection: Selection,
  { store }: Storing,
  parts: PartInProgress[],
  { strict }: PrepareOptions,
  events: PrepareEvents,
): Promise<void> {
  const wanted = source.items((index) => selection.partOf(index) !== 'none');
  let done = 0;
  for await (const { item, stored, error } of mapOrdered(wanted, DECODERS, (item) => convert(item, store))) {
    events.signal?.throwIfAborted();
    const part = parts[selection.partOf(item.index) === 'holdout' ? 1 : 0];
    if (stored) {
      await part.writer.append(stored, item.id, item.label);
    } else {
      if (strict)
        throw expected('an image that can be decoded', item.id, error!, 'repair or remove it, or leave out --strict');
      events.skipped?.(item.id, error!);
      part.skipped++;
    }
    events.progress?.(++done);
  }
  const empty = parts.find(({ writer }) => writer.count === 0);
  if (empty) {
    throw new UserError(`none of the ${empty.skipped} images could be decoded`, {
      hint: 'is this the right source and --format?',
    });
  }
}

async function convert(
  item: SourceItem,
  store: Storing['store'],
): Promise<{ item: SourceItem; stored?: StoredImage; error?: string }> {
  try {
    return { item, stored: await store(item.image) };
  } catch (error) {
    return { item, error: reasonOf(error) };
  }
}

/** Everything that decides what is written: the settings, and the names, sizes and times of the files read. */
async function describe(
  options: PrepareOptions,
  source: ImageSource,
  { fit, channels }: Storing,
): Promise<Record<string, unknown>> {
  const { limit, holdout = 0, seed, shardSize } = options;
  return {
    source: options.sources.map((path) => resolve(path)),
    source_format: source.format,
    source_count: source.count,
    source_state: await stateOf(source.files),
    ...(fit
      ? { resize: fit.resize, resolution: fit.resolution, channels, resampling: RESAMPLING, conversions: CONVERSIONS }
      : { storage: 'encoded', channels }),
    order: 'of the source',
    limit: limit ?? null,
    holdout,
    seed,
    shard_size: shardSize,
  };
}

/** SHA-256 of names, sizes and modification times: a file that was written since counts as another one. */
async function stateOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  // A link to nothing is an image that cannot be decoded.
  const line = async (file: string) => {
    const status = await stat(file, { bigint: true }).catch(() => undefined);
    return `${resolve(file)}\0${status?.size}\0${status?.mtimeNs}\n`;
  };
  for await (const text of mapOrdered(files, 4 * DECODERS, line)) hash.update(text);
  return hash.digest('hex');
}

/** The existing datasets if they are the ones wanted. @throws UserError if others exist and may not be replaced */
async function findUnchanged(options: PrepareOptions, preparation: Record<string, unknown>) {
  const { out, holdoutOut, holdout = 0, force } = options;
  const dirs = holdout > 0 ? [out, holdoutOut] : [out];
  const found: (DatasetManifest | undefined)[] = [];
  for (const dir of dirs) {
    const manifest = (await exists(resolve(dir, MANIFEST))) && !force ? (await readManifest(dir)).manifest : undefined;
    const same = manifest && JSON.stringify(manifest.preparation) === JSON.stringify(preparation);
    if (manifest && !same) throw differing(dir, manifest.preparation, preparation);
    if (!manifest) await checkReplaceable(dir, { force, kind: DATASET_FOLDER, inputs: inputsOf(options) });
    found.push(manifest);
  }
  const [main, second] = found;
  return main && found.every(Boolean) ? { main, holdout: second } : undefined;
}

function differing(dir: string, old: Record<string, unknown>, wanted: Record<string, unknown>): UserError {
  const [before, now]: Record<string, unknown>[] = [old, wanted].map((settings) => ({
    storage: 'pixels',
    ...settings,
  }));
  const keys = Object.keys(now).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(now[key]));
  if (keys.length === 1 && keys[0] === 'source_state') {
    return new UserError(`${dir} holds a dataset of files that have changed since, or were written anew`, {
      hint: 'add --force to prepare it again, or choose another --out',
    });
  }
  const [key = 'version'] = keys;
  const was = `${key} was ${JSON.stringify(before[key])}, now ${JSON.stringify(now[key])}`;
  return new UserError(`${dir} holds a dataset made otherwise (${was})`, {
    hint: 'choose another --out, or add --force to replace it',
  });
}

async function present(path: string): Promise<void> {
  if (!(await exists(path)))
    throw expected('a folder or file of images', path, 'no such file or folder', 'check the path');
}
