/** From an image of a source to what a shard keeps of it. Both throw for images that cannot be decoded whole. */
import { readFile, stat } from 'node:fs/promises';
import { checkImage, decodeImage, encodePng, type Fit, fitPixels } from './codec.js';
import type { StoredImage } from './dataset/shard-types.js';
import { LARGEST_MEMBER } from './sources/archive.js';
import type { SourceImage } from './sources/source.js';

/** As pixels. */
export function fitted(fit: Fit): (image: SourceImage) => Promise<StoredImage> {
  return async (image) => {
    if ('error' in image) throw new Error(image.error);
    if ('pixels' in image) return { bytes: await fitPixels(image.pixels, fit) };
    return { bytes: await decodeImage('path' in image ? image.path : image.bytes, fit) };
  };
}

/** As its own bytes; pixels become PNG. */
export async function kept(image: SourceImage): Promise<StoredImage> {
  if ('error' in image) throw new Error(image.error);
  if ('pixels' in image) {
    const { data, height, width, channels } = image.pixels;
    return { bytes: await encodePng(data, height, width, channels), extension: 'png' };
  }
  const bytes = 'path' in image ? await readImage(image.path) : image.bytes;
  return { bytes, extension: await checkImage(bytes) };
}

async function readImage(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > LARGEST_MEMBER) throw new Error(`${size} bytes are more than an image may have`);
  return readFile(path);
}
