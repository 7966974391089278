/** Shards as they are written and read, whatever they hold. Types only. */
import type { Location } from './stored.js';

/** What goes into a shard: pixels, or an encoded image and the extension of its format. */
export interface StoredImage {
  bytes: Uint8Array;
  extension?: string;
}

/** The images of a shard that is being written. */
export interface ShardSink {
  append(image: StoredImage, label?: number): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** The images of a shard. */
export interface ShardReader {
  /** uint8 [count, height, width, channels] from a row on. */
  rows(first: number, count: number): Promise<Uint8Array>;
  locate(row: number): Promise<Location>;
  close(): Promise<void>;
}
