/** One of several equal parts of a set of images, measured alone. */
import type { Engine } from '../../backend/engine.js';
import { usage } from '../../errors.js';
import type { Extractor } from '../../metrics/extractor.js';
import { type MeasureOptions, measureImages } from './measure.js';
import { writePart } from './part-file.js';
import { originOfImages } from './side.js';
import type { FoundSet } from './source.js';

export interface ShardOptions extends MeasureOptions {
  /** From 1. */
  shard: number;
  shards: number;
  batchSize: number;
}

/**
 * Measures the images that follow one another from one n-th of the set to the next, and writes their part to `path`.
 */
export async function writeShard(
  engine: Engine,
  source: FoundSet,
  extractor: Extractor,
  path: string,
  options: ShardOptions,
) {
  if (source.kind !== 'images') throw usage(`--shard is for images, which ${source.path} does not hold`);
  const { shard, shards } = options;
  const images = await source.images.openForNetwork(extractor.image);
  try {
    const bound = (i: number) => Math.floor((i * images.count) / shards);
    const range = { first: bound(shard - 1), end: bound(shard) };
    const { sums, features, logits, close } = await measureImages(engine, images, source.path, extractor, {
      ...options,
      range,
    });
    try {
      await writePart(path, { ...originOfImages(images, extractor), sums, shard, shards, feats: features, logits });
    } finally {
      await close();
    }
    return { n: range.end - range.first, setCount: images.count, digest: images.digest };
  } finally {
    await images.close();
  }
}
