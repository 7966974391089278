/** Rows of features that a user has already: an .npy file, an array in an .npz, or an .npy stream. */
import { expected } from '../errors.js';
import type { ArrayData } from '../formats/arrays.js';
import { sha256File } from '../formats/digest.js';
import { type NpyHeader, type NpyStream, openNpyRows } from '../formats/npy.js';
import { openNpzStream } from '../formats/npz-stream.js';
import type { Rows } from '../metrics/rows.js';

export interface FeatureSet {
  count: number;
  width: number;
  /** SHA-256 of the file; unknown for a stream. */
  digest?: string;
  /** The rows in any order, where they can be had so. */
  rows?: Rows;
  /** All rows in order, in pieces. */
  pieces(): AsyncIterable<Float32Array>;
  close(): Promise<void>;
}

export async function openNpyFeatures(path: string): Promise<FeatureSet> {
  const file = await openNpyRows(path);
  try {
    const { count, width, size } = checkFeatures(file, path);
    const read = async (first: number, wanted: number) => floats(await file.rows(first, wanted));
    async function* pieces(): AsyncGenerator<Float32Array> {
      for (let first = 0; first < count; first += size) yield read(first, Math.min(size, count - first));
    }
    return { count, width, digest: await sha256File(path), rows: { rows: count, width, read }, pieces, close: file.close };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The array `name` of an .npz, such as clean-fid's `feats`. */
export async function openNpzFeatures(path: string, name: string): Promise<FeatureSet> {
  const stream = await openNpzStream(path, name);
  try {
    return { ...streamFeatures(stream, `${path} (${name})`), digest: await sha256File(path), close: async () => stream.close() };
  } catch (error) {
    stream.close();
    throw error;
  }
}

export function streamFeatures(stream: NpyStream, name = 'standard input'): FeatureSet {
  const { count, width, size } = checkFeatures(stream.header, name);
  async function* pieces(): AsyncGenerator<Float32Array> {
    for await (const data of stream.rows(size)) yield floats(data);
  }
  return { count, width, pieces, close: async () => {} };
}

function checkFeatures({ dtype, shape }: Pick<NpyHeader, 'dtype' | 'shape'>, name: string) {
  if (dtype !== 'float32' && dtype !== 'float64') throw expected('uint8 images or float features', name, dtype);
  const [count, width] = shape;
  if (shape.length !== 2 || width === 0) throw expected('features of shape [n, width]', name, `[${shape}]`, 'images must be uint8');
  // Elements at once: 64 MB.
  return { count, width, size: Math.max(1, Math.min(8192, Math.floor(2 ** 24 / width))) };
}

function floats(data: ArrayData): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data as Float64Array);
}
