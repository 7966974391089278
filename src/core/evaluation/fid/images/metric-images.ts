/** What every kind of image set offers to a network. */
import { expected } from '../../../errors.js';
import type { Extractor } from '../../../metrics/extractor.js';

export interface ImageRange {
  /** The first image wanted, and the one after the last. */
  first: number;
  end: number;
}

export interface MetricBatch {
  data: Uint8Array;
  shape: [number, number, number, number];
}

export interface MetricImages {
  kind: 'dataset' | 'folder' | 'zip' | 'npy' | 'npz' | 'stream';
  count: number;
  /** SHA-256 of the set; unknown for a stream. */
  digest?: string;
  /** How the images came to their size. */
  resize?: string;
  /** Of the images read so far, one whose encoding is lossy, by its name. */
  lossy?(): string | undefined;
  /** Images in batches of at most `size`. A stream can be read once, from its first image on. */
  batches(size: number, range: ImageRange): AsyncIterable<MetricBatch>;
  close(): Promise<void>;
}

/** What a network takes. */
export type Wanted = Extractor['image'];

/** A set of images that was looked at, but not read: by names and headers alone. */
export interface FoundImages {
  count: number;
  /** Reads all of it once, for the digest. */
  open(wanted: Wanted): Promise<MetricImages>;
}

export function checkSize(wanted: Wanted, height: number, width: number, name: string): void {
  if (height === (wanted.height ?? height) && width === (wanted.width ?? width)) return;
  const size = `${wanted.width ?? 'any'} x ${wanted.height ?? 'any'}`;
  throw expected(
    `images of ${size} as the network takes`,
    name,
    `${width} x ${height}`,
    'prepare them at that resolution',
  );
}
