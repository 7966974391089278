/**
 * Feature statistics as .npz: `mu` [width] and `sigma` [width, width] in float64, which every FID tool reads, and
 * where they come from in `n`, `extractor` and `digest` (text as UTF-8 bytes), which other tools skip.
 */
import { expected } from '../errors.js';
import type { NamedArray } from '../formats/arrays.js';
import { readNpz, writeNpz } from '../formats/npz.js';
import type { Statistics } from '../metrics/statistics.js';

export interface KnownStatistics extends Statistics {
  /** Label and weights digest of the network; unknown for files of other tools. */
  extractor?: string;
  digest?: string;
}

const NAMES = ['mu', 'sigma', 'n', 'extractor', 'digest'];

export async function readStatistics(path: string): Promise<KnownStatistics> {
  const { mu, sigma, n, extractor, digest } = await readNpz(path, NAMES);
  if (!mu || !sigma) {
    throw expected('the arrays mu and sigma', path, mu || sigma ? 'one of them' : 'neither', 'images go in as .npy');
  }
  const [width] = mu.shape;
  if (mu.shape.length !== 1 || width === 0) throw expected('mu of shape [width]', path, `[${mu.shape}]`);
  if (sigma.shape.length !== 2 || sigma.shape.some((size) => size !== width)) {
    throw expected(`sigma of shape [${width},${width}] as mu demands`, path, `[${sigma.shape}]`);
  }
  const mean = numbers(mu, 'mu', path);
  const covariance = numbers(sigma, 'sigma', path);
  checkSymmetric(covariance, width, path);
  return {
    n: n && n.data.length === 1 ? Number(n.data[0]) : undefined,
    mean,
    covariance,
    extractor: text(extractor),
    digest: text(digest),
  };
}

/** Atomic; replaces an existing file. */
export async function writeStatistics(path: string, statistics: KnownStatistics): Promise<void> {
  const { n, mean, covariance, extractor, digest } = statistics;
  const arrays: Parameters<typeof writeNpz>[1] = {
    mu: { shape: [mean.length], data: mean },
    sigma: { shape: [mean.length, mean.length], data: covariance },
  };
  if (n !== undefined) arrays.n = { shape: [], data: BigInt64Array.of(BigInt(n)) };
  for (const [name, value] of Object.entries({ extractor, digest })) {
    if (value === undefined) continue;
    const bytes = new TextEncoder().encode(value);
    arrays[name] = { shape: [bytes.length], data: bytes };
  }
  await writeNpz(path, arrays);
}

function numbers({ dtype, data }: NamedArray, name: string, path: string): Float64Array {
  if (dtype !== 'float32' && dtype !== 'float64') throw expected(`${name} of type float64`, path, dtype);
  const values = Float64Array.from(data as Float64Array);
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw expected('finite numbers', `${name} in ${path}`, `${bad}`);
  return values;
}

function checkSymmetric(matrix: Float64Array, width: number, path: string): void {
  for (let i = 0; i < width; i++) {
    const variance = matrix[i * width + i];
    if (variance < 0) throw expected('variances of 0 or more', `sigma in ${path}`, `${variance}`);
    for (let j = 0; j < i; j++) {
      const [a, b] = [matrix[i * width + j], matrix[j * width + i]];
      if (Math.abs(a - b) > 1e-6 * Math.max(1, Math.abs(a), Math.abs(b))) {
        throw expected('a symmetric matrix', `sigma in ${path}`, `${a} and ${b} at row ${i}, column ${j}`);
      }
    }
  }
}

function text(array: NamedArray | undefined): string | undefined {
  return array?.data instanceof Uint8Array ? new TextDecoder().decode(array.data) : undefined;
}
