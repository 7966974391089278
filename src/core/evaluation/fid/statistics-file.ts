/**
 * Feature statistics as .npz: `mu` [width] and `sigma` [width, width] in float64, which every FID tool reads, beside
 * them `n`, `feats` [n, width] where they were kept, and where all come from, as texts in UTF-8 bytes, which other
 * tools skip.
 */
import { expected } from '../../errors.js';
import type { NamedArray } from '../../formats/arrays.js';
import { type NpzArrays, type NpzRows, readNpz, writeNpz } from '../../formats/zip/npz.js';
import { npzNames } from '../../formats/zip/npz-stream.js';
import { chunks, type Rows } from '../../metrics/rows.js';
import type { Statistics } from '../../metrics/statistics.js';

/** The network whose features they are. */
export interface Network {
  /** Its kind, as --extractor has it; unknown in older files. */
  name?: string;
  label: string;
  /** SHA-256 of its weights. */
  digest: string;
  /** How images are brought to its size. */
  mode?: string;
  /** Its arithmetic, where there is a choice; unknown in older files. */
  precision?: string;
}

/** What statistics are of; files of other tools do not say. */
export interface Origin {
  network?: Network;
  /** SHA-256 of the images or features. */
  sourceDigest?: string;
  /** How the images came to their size. */
  resize?: string;
}

export interface KnownStatistics extends Statistics, Origin {}

const TEXTS = ['extractor', 'digest', 'name', 'mode', 'source_digest', 'resize', 'precision'];

export async function readStatistics(path: string): Promise<KnownStatistics> {
  const { mu, sigma, n, ...texts } = await readNpz(path, ['mu', 'sigma', 'n', ...TEXTS]);
  const [width] = mu.shape;
  if (mu.shape.length !== 1 || width === 0) throw expected('mu of shape [width]', path, `[${mu.shape}]`);
  const covariance = squareMatrix(sigma, 'sigma', width, path);
  const mean = numbers(mu, 'mu', path);
  return { n: n && n.data.length === 1 ? Number(n.data[0]) : undefined, mean, covariance, ...originOf(texts) };
}

/** What an .npz says of where it comes from; nothing if it is of another tool. */
export async function readOrigin(path: string): Promise<Origin> {
  const names = (await npzNames(path)).filter((name) => TEXTS.includes(name));
  return names.length > 0 ? originOf(await readNpz(path, names)) : {};
}

/** Atomic; replaces an existing file. */
export async function writeStatistics(path: string, statistics: KnownStatistics, features?: Rows): Promise<void> {
  const { n, mean, covariance } = statistics;
  const width = mean.length;
  const arrays: NpzArrays = {
    mu: { shape: [width], data: mean },
    sigma: { shape: [width, width], data: covariance },
  };
  if (n !== undefined) arrays.n = { shape: [], data: BigInt64Array.of(BigInt(n)) };
  if (features) arrays.feats = npzRows(features);
  await writeNpz(path, { ...arrays, ...originArrays(statistics) });
}

/** Rows as an array of a file, read as it is written. */
export function npzRows(rows: Rows): NpzRows {
  async function* pieces() {
    for await (const { data } of chunks(rows)) yield data;
  }
  return { shape: [rows.rows, rows.width], dtype: 'float32', pieces: pieces() };
}

export function originArrays({ network, sourceDigest, resize }: Origin) {
  const { label: extractor, ...rest } = network ?? {};
  const texts = { extractor, ...rest, source_digest: sourceDigest, resize };
  const arrays: NpzArrays = {};
  for (const [name, value] of Object.entries(texts)) {
    if (value === undefined) continue;
    const bytes = new TextEncoder().encode(value);
    arrays[name] = { shape: [bytes.length], data: bytes };
  }
  return arrays;
}

export function originOf(texts: Record<string, NamedArray>): Origin {
  const [label, digest, name, mode, sourceDigest, resize, precision] = TEXTS.map((key) => text(texts[key]));
  const network = label === undefined || digest === undefined ? undefined : { name, label, digest, mode, precision };
  return { network, sourceDigest, resize };
}

export const ORIGIN_ARRAYS: readonly string[] = TEXTS;

/** A symmetric matrix [width, width] with nothing below 0 on its diagonal. */
export function squareMatrix(matrix: NamedArray, name: string, width: number, path: string): Float64Array {
  if (matrix.shape.length !== 2 || matrix.shape.some((size) => size !== width)) {
    throw expected(`${name} of shape [${width},${width}] as mu demands`, path, `[${matrix.shape}]`);
  }
  const values = numbers(matrix, name, path);
  checkSymmetric(values, width, `${name} in ${path}`);
  return values;
}

export function numbers({ dtype, data }: NamedArray, name: string, path: string): Float64Array {
  if (dtype !== 'float32' && dtype !== 'float64') throw expected(`${name} of type float64`, path, dtype);
  const values = Float64Array.from(data as Float64Array);
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw expected('finite numbers', `${name} in ${path}`, `${bad}`);
  return values;
}

function checkSymmetric(matrix: Float64Array, width: number, where: string): void {
  for (let i = 0; i < width; i++) {
    const variance = matrix[i * width + i];
    if (variance < 0) throw expected('variances of 0 or more', where, `${variance}`);
    for (let j = 0; j < i; j++) {
      const [a, b] = [matrix[i * width + j], matrix[j * width + i]];
      if (Math.abs(a - b) > 1e-6 * Math.max(1, Math.abs(a), Math.abs(b))) {
        throw expected('a symmetric matrix', where, `${a} and ${b} at row ${i}, column ${j}`);
      }
      const most = Math.sqrt(matrix[i * width + i] * matrix[j * width + j]);
      if (Math.abs(a) > most + 1e-6 * Math.max(1, most)) {
        throw expected(
          `a covariance of at most ${most}, as the variances demand,`,
          `row ${i}, column ${j} of ${where}`,
          `${a}`,
        );
      }
    }
  }
}

function text(array: NamedArray | undefined): string | undefined {
  return array?.data instanceof Uint8Array ? new TextDecoder().decode(array.data) : undefined;
}
