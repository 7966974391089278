/**
 * A features folder: one .npy of float32 [n, width] for each output of a network, and beside them optionally
 * `labels.npy` int32 [n], `ids.txt` (one a line) and `features.json` (where they come from). Row i is image i.
 */
import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expected } from '../errors.js';
import { beginFolder } from '../formats/atomic.js';
import { sha256File } from '../formats/digest.js';
import { exists } from '../formats/exists.js';
import { createNpyWriter, type NpyRows, type NpyWriter, openNpyRows } from '../formats/npy/npy.js';
import { type FolderKind, hasFormat } from '../formats/own-folder.js';
import { readLabels } from './labels.js';
import { orClose } from './or-close.js';

const MANIFEST = 'features.json';
const FORMAT = 'bigbigan features 1';

/** The folder as a whole. */
export const FEATURES_FOLDER: FolderKind = {
  marker: MANIFEST,
  isOurs: hasFormat(FORMAT),
  holds(name, marker) {
    const { files = {}, labels, ids } = JSON.parse(marker) as { files?: object; labels?: boolean; ids?: boolean };
    return (
      Object.hasOwn(files, name) || (name === 'labels.npy' && labels === true) || (name === 'ids.txt' && ids === true)
    );
  },
};

const WRITE = 'write it with bigbigan encode, or save avepool.npy [rows, width] and labels.npy [rows] with NumPy';

export interface CreateFeatures {
  /** Width of each output by name, such as `{ avepool: 2048 }`. */
  outputs: Record<string, number>;
  /** Goes into features.json as it is. */
  provenance: object;
  /** Replace an existing features folder. */
  force?: boolean;
  /** What is read meanwhile, which must not be replaced. */
  inputs?: readonly string[];
}

export interface FeatureRows {
  /** For each output its rows, [n * width]. */
  outputs: Record<string, Float32Array>;
  labels?: Int32Array;
  ids?: readonly string[];
}

export interface FeaturesWriter {
  /** Adds rows; labels and ids come with every call or with none. */
  append(rows: FeatureRows): Promise<void>;
  /** Completes the folder and moves it to its name. */
  close(): Promise<void>;
  /** Drops what was written. */
  abort(): Promise<void>;
}

/** Starts a features folder; it appears at `dir` when it is closed. */
export async function createFeatures(
  dir: string,
  { outputs, provenance, force, inputs }: CreateFeatures,
): Promise<FeaturesWriter> {
  const folder = await beginFolder(dir, { force, kind: FEATURES_FOLDER, inputs });
  const writers = new Map<string, NpyWriter>();
  for (const [name, width] of Object.entries(outputs)) {
    writers.set(name, await createNpyWriter(join(folder.path, `${name}.npy`), 'float32', [width]));
  }
  let labelWriter: NpyWriter | undefined;
  let withIds = false;
  let rows = 0;
  const append = async (batch: FeatureRows) => {
    for (const [name, writer] of writers) await writer.append(batch.outputs[name]);
    const before = rows;
    for (const writer of writers.values()) rows = writer.rows;
    if (batch.labels) {
      if (before === 0) labelWriter = await createNpyWriter(join(folder.path, 'labels.npy'), 'int32', []);
      await labelWriter?.append(batch.labels);
    }
    if (batch.ids) {
      withIds = true;
      await appendFile(join(folder.path, 'ids.txt'), batch.ids.map((id) => `${id.replace(/[\r\n]/g, ' ')}\n`).join(''));
    }
    if ([...writers.values(), ...(labelWriter ? [labelWriter] : [])].some((writer) => writer.rows !== rows)) {
      throw new RangeError(`${dir}: outputs and labels of unequal counts`);
    }
  };
  const close = async () => {
    const files: Record<string, object> = {};
    for (const [name, writer] of writers) {
      await writer.close();
      const sha256 = await sha256File(join(folder.path, `${name}.npy`));
      files[`${name}.npy`] = { shape: [rows, outputs[name]], dtype: 'float32', sha256 };
    }
    await labelWriter?.close();
    const manifest = {
      format: FORMAT,
      rows,
      files,
      labels: Boolean(labelWriter),
      ids: withIds,
      ...provenance,
    };
    await appendFile(join(folder.path, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
    await folder.commit();
  };
  const abort = async () => {
    await Promise.all([...writers.values(), ...(labelWriter ? [labelWriter] : [])].map((writer) => writer.abort()));
    await folder.abort();
  };
  return { append, close, abort };
}

export interface Features {
  name: string;
  /** The folder. */
  path: string;
  rows: number;
  width: number;
  labels?: Int32Array;
  /** SHA-256 of the feature's file. */
  digest: string;
  /** What features.json says, if there is one. */
  provenance?: Record<string, unknown>;
  /** `count` rows from `first` on, [count * width]; NaN or infinity is an error naming file and row. */
  read(first: number, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Opens one feature of a folder, written by this program or by NumPy (float16, float32 or float64, [n, width]). */
export async function openFeatures(dir: string, feature: string): Promise<Features> {
  const path = join(dir, `${feature}.npy`);
  if (!(await exists(path))) throw await missing(dir, feature);
  return orClose(await openNpyRows(path), async (rows) => {
    checkFeature(rows, path);
    const labelPath = join(dir, 'labels.npy');
    const labels = (await exists(labelPath)) ? await readLabels(labelPath, rows.shape[0]) : undefined;
    const digest = await sha256File(path);
    const provenance = await featureProvenance(path, digest);
    const read = async (first: number, count: number) => {
      const values = (await rows.rows(first, count)) as Float32Array | Float64Array;
      const data = values instanceof Float32Array ? values : Float32Array.from(values);
      if (allFinite(data)) return data;
      const bad = data.findIndex((value) => !Number.isFinite(value));
      throw expected('finite numbers', `row ${first + Math.floor(bad / rows.rowLength)} of ${path}`, `${data[bad]}`);
    };
    const shape = { rows: rows.shape[0], width: rows.rowLength };
    return { name: feature, path: dir, ...shape, labels, digest, provenance, read, close: rows.close };
  });
}

/** Zero times anything else is not 0: no branch for each number. */
function allFinite(data: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] * 0;
  return sum === 0;
}

function checkFeature({ dtype, shape, rowLength }: NpyRows, path: string): void {
  if (dtype !== 'float32' && dtype !== 'float64') {
    throw expected(
      'features of type float16, float32 or float64',
      path,
      dtype,
      "convert them, for example numpy.save(path, features.astype('float32'))",
    );
  }
  if (shape.length < 2 || rowLength === 0) {
    throw expected('features of shape [rows, width]', path, `shape [${shape}]`, 'a row for each image');
  }
  if (shape[0] === 0) throw expected('at least one row', path, 'none');
}

/**
 * What the features.json beside a feature's file says, if there is one; the file with this SHA-256 must be the one it
 * is about.
 */
export async function featureProvenance(file: string, digest: string): Promise<Record<string, unknown> | undefined> {
  const manifest = await readManifest(dirname(file));
  const recorded = (manifest?.files as Record<string, { sha256?: string }> | undefined)?.[basename(file)]?.sha256;
  if (recorded && recorded !== digest) {
    throw expected(
      `SHA-256 ${recorded} as ${MANIFEST} says`,
      file,
      digest,
      'the file was changed or damaged; encode again',
    );
  }
  return manifest;
}

async function readManifest(dir: string): Promise<Record<string, unknown> | undefined> {
  const path = join(dir, MANIFEST);
  if (!(await exists(path))) return undefined;
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw expected('JSON', path, (error as Error).message, 'it is optional: remove it to go on without');
  }
}

/** The file of one feature of a features folder; undefined where a folder is of another kind. */
export async function featureFile(dir: string, feature: string): Promise<string | undefined> {
  const path = join(dir, `${feature}.npy`);
  if (await exists(path)) return path;
  if (await exists(join(dir, MANIFEST))) throw await missing(dir, feature);
  return undefined;
}

async function missing(dir: string, feature: string) {
  const folder = await stat(dir).catch(() => undefined);
  if (!folder) return expected('a features folder', dir, 'no such folder', WRITE);
  if (!folder.isDirectory()) {
    const hint = /\.npy$/i.test(dir)
      ? `name its folder, ${dirname(dir)}, and choose the file by --feature ${basename(dir, '.npy')}`
      : WRITE;
    return expected('a features folder', dir, 'a file', hint);
  }
  const found = (await readdir(dir)).filter((name) => name.endsWith('.npy') && name !== 'labels.npy');
  const names = found.map((name) => name.slice(0, -'.npy'.length)).join(', ');
  return expected(
    `${feature}.npy`,
    `--feature ${feature} in ${dir}`,
    names || 'no .npy file of features',
    names ? `choose one of ${names}` : WRITE,
  );
}
