/** Rows of features that a user has already: an .npy file, an array in an .npz, or an .npy stream. */
import { basename } from 'node:path';
import { featureProvenance } from '../../data/features.js';
import { expected } from '../../errors.js';
import type { ArrayData } from '../../formats/arrays.js';
import { sha256File } from '../../formats/digest.js';
import { type NpyHeader, type NpyStream, openNpyRows } from '../../formats/npy/npy.js';
import { openNpzStream } from '../../formats/zip/npz-stream.js';
import type { Rows } from '../../metrics/rows.js';
import type { ModelProvenance } from '../../trained/provenance.js';
import { encoderNetwork } from './extractors/encoder-network.js';
import { type Origin, readOrigin } from './statistics-file.js';

/** Features of which the header was read. */
export interface FoundFeatures {
  count: number;
  width: number;
  /** Reads all of a file once, for the digest. */
  open(): Promise<FeatureSet>;
}

export interface FeatureSet extends Origin {
  count: number;
  width: number;
  /** The rows in any order, where they can be had so. */
  rows?: Rows;
  /** All rows in order, in pieces. */
  pieces(): AsyncIterable<Float32Array>;
  close(): Promise<void>;
}

/** The network is known where `encode` wrote the file, and its features.json is beside it. */
export function findNpyFeatures(path: string, header: Pick<NpyHeader, 'dtype' | 'shape'>): FoundFeatures {
  const { count, width, size } = checkFeatures(header, path);
  const open = async () => {
    const sourceDigest = await sha256File(path);
    const source = (await featureProvenance(path, sourceDigest))?.source as Partial<ModelProvenance> | undefined;
    const file = await openNpyRows(path);
    const read = async (first: number, wanted: number) => floats(await file.rows(first, wanted));
    async function* pieces(): AsyncGenerator<Float32Array> {
      for (let first = 0; first < count; first += size) yield read(first, Math.min(size, count - first));
    }
    const network = encoderNetwork(basename(path, '.npy'), source);
    return { count, width, network, sourceDigest, rows: { rows: count, width, read }, pieces, close: file.close };
  };
  return { count, width, open };
}

/**
 * The array `name` of an .npz, such as clean-fid's `feats`; where saved with their statistics, with what these know of
 * it.
 */
export function findNpzFeatures(path: string, name: string, header: NpyHeader): FoundFeatures {
  const title = `${path} (${name})`;
  const { count, width } = checkFeatures(header, title);
  const open = async () => {
    const origin = await readOrigin(path);
    const sourceDigest = origin.sourceDigest ?? (await sha256File(path));
    const stream = await openNpzStream(path, name);
    return {
      count,
      width,
      ...origin,
      sourceDigest,
      pieces: () => floatRows(stream, title),
      close: async () => stream.close(),
    };
  };
  return { count, width, open };
}

export function streamFeatures(stream: NpyStream): FoundFeatures {
  const title = 'standard input';
  const { count, width } = checkFeatures(stream.header, title);
  return {
    count,
    width,
    open: async () => ({ count, width, pieces: () => floatRows(stream, title), close: async () => {} }),
  };
}

async function* floatRows(stream: NpyStream, name: string): AsyncGenerator<Float32Array> {
  for await (const data of stream.rows(checkFeatures(stream.header, name).size)) yield floats(data);
}

function checkFeatures({ dtype, shape }: Pick<NpyHeader, 'dtype' | 'shape'>, name: string) {
  if (dtype !== 'float32' && dtype !== 'float64') throw expected('uint8 images or float features', name, dtype);
  const [count, width] = shape;
  if (shape.length !== 2 || width === 0)
    throw expected('features of shape [n, width]', name, `[${shape}]`, 'images must be uint8');
  // Elements at once: 64 MB.
  return { count, width, size: Math.max(1, Math.min(8192, Math.floor(2 ** 24 / width))) };
}

function floats(data: ArrayData): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data as Float64Array);
}
