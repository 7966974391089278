/** A set of images of any kind, as every command sees it. Types only. */
import type { ResizeMethod } from '../codec.js';
import type { Channels } from '../pixels.js';

export type ImageKind = 'dataset' | 'folder' | 'zip' | 'tar' | 'npy' | 'npz' | 'stream';

/** A set that was looked at, but not read: by names and headers alone. */
export interface FoundImages {
  kind: ImageKind;
  path: string;
  count: number;
  /** All images in one size, with labels and ids where there are any. Reads the set once, for its digest. */
  open(options: ImageOptions): Promise<ImageSet>;
  /** Each image in the size that a network takes, or in its own. Reads the set once, for its digest. */
  openForNetwork(wanted: WantedImage): Promise<NetworkImages>;
}

export interface ImageOptions {
  /** Side to which encoded images are brought; arrays and prepared pixels must have it already. */
  resolution?: number;
  /** Channels wanted; default: those of the images. */
  channels?: Channels;
  /** How encoded images are brought to the resolution, default center-crop. */
  resize?: ResizeMethod;
}

export interface ImageBatch {
  /** uint8 [count, height, width, channels]; a fresh array in every batch. */
  data: Uint8Array;
  count: number;
  /** Class numbers, int32 [count]; absent without labels. */
  labels?: Int32Array;
  /** Paths in the source, or numbers from 0. */
  ids: string[];
}

export interface ImageSet extends AsyncDisposable {
  kind: ImageKind;
  path: string;
  count: number;
  height: number;
  width: number;
  channels: Channels;
  /** Names by class number; absent without labels. */
  classes?: string[];
  /**
   * SHA-256: of a dataset's shards and classes, of a file, or of all names and contents of a folder; undefined for a
   * stream.
   */
  digest: string | undefined;
  /** All images in order; a stream can be read once. */
  batches(size: number): AsyncIterable<ImageBatch>;
  /** The images of these numbers, in their order (dataset and npy only). */
  random?(indices: readonly number[]): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What a network takes; absent is any. */
export interface WantedImage {
  height?: number;
  width?: number;
  channels?: number;
}

export interface ImageRange {
  /** The first image wanted, and the one after the last. */
  first: number;
  end: number;
}

/** A batch of images of one size. */
export interface NetworkBatch {
  data: Uint8Array;
  /** Number, height, width, channels. */
  shape: [number, number, number, number];
}

export interface NetworkImages {
  kind: ImageKind;
  count: number;
  /** SHA-256 of the set; undefined for a stream. */
  digest?: string;
  /** How the images came to their size. */
  resize?: string;
  /** Of the images read so far, one whose encoding is lossy, by its name. */
  lossy?(): string | undefined;
  /** Images in batches of at most `size`. A stream can be read once, from its first image on. */
  batches(size: number, range: ImageRange): AsyncIterable<NetworkBatch>;
  close(): Promise<void>;
}
