/** A network that turns images into feature vectors. */

/** What it gives for n images, as rows. */
export interface Extracted {
  /** [n, width] */
  features: Float32Array;
  /** [n, classes], what its classifier says before softmax; where it has one. */
  logits?: Float32Array;
  /** The same without the classifier's bias, which the Inception Score leaves out as its authors did. */
  unbiasedLogits?: Float32Array;
}

export interface Extractor {
  /** Its kind, as --extractor has it: only `inception` is the network of the literature's FID. */
  name: string;
  /** What it computes, without its place on disk: statistics are comparable when label and digest agree. */
  label: string;
  /** SHA-256 of its weights. */
  digest: string;
  /** The file that holds them, with its own SHA-256, and which published file it is, where there is one. */
  file?: { path: string; digest: string; published?: string };
  /** How images are brought to its size, where there is a choice. */
  mode?: string;
  /** Its arithmetic, where there is a choice. */
  precision?: string;
  /** Features of an image. */
  width: number;
  /** Image sides and channels that it takes; undefined where it takes any. */
  image: { height?: number; width?: number; channels?: number };
  /**
   * uint8 images [n, height, width, channels], n up to the batch size it was opened with. A row does not depend on the
   * others.
   */
  extract(images: Uint8Array, shape: readonly [number, number, number, number]): Extracted;
  close(): void;
}
