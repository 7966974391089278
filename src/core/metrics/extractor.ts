/** A network that turns images into feature vectors. */

export interface Extractor {
  /** What it computes, without its place on disk: statistics are comparable when label and digest agree. */
  label: string;
  /** SHA-256 of its weights. */
  digest: string;
  /** Features of an image. */
  width: number;
  /** Image sides and channels that it takes; undefined where it takes any. */
  image: { height?: number; width?: number; channels?: number };
  /** uint8 images [n, height, width, channels] → [n, width]. A row does not depend on the others. */
  extract(images: Uint8Array, shape: readonly [number, number, number, number]): Float32Array;
  close(): void;
}
