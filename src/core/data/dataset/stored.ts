/** An image as a dataset's shard holds it, and what a batch makes of it. */
import { cropImage, decodeImage, fitPixels } from '../codec.js';
import { type Crop, cropBox, cropRandom, RULES } from '../loading/crop.js';
import type { Channels } from '../pixels.js';

/** Where an image's bytes lie. */
export interface Location {
  path: string;
  offset: number;
  length: number;
}

/** What is the same for all images of a loader. */
export interface Recipe {
  /** Of images stored as pixels. */
  pixels?: { height: number; width: number; channels: Channels };
  crop: Crop;
  /** Side of the squares wanted, and their channels. */
  resolution: number;
  channels: Channels;
  seed: number;
}

/** The image at a place of a step's batch: uint8 [resolution, resolution, channels]. */
export async function developImage(
  bytes: Uint8Array,
  recipe: Recipe,
  step: number,
  place: number,
): Promise<Uint8Array> {
  const { pixels, crop, resolution, channels, seed } = recipe;
  const image = pixels ? { ...pixels, data: bytes } : bytes;
  if (crop === 'center') {
    const fit = { resolution, resize: 'center-crop', channels } as const;
    return image instanceof Uint8Array ? decodeImage(image, fit) : fitPixels(image, fit);
  }
  const random = cropRandom(seed, step, place);
  const box = (height: number, width: number) => cropBox(crop, height, width, resolution, random);
  return cropImage(image, { box, kernel: RULES[crop].kernel, resolution, channels });
}

/** What a decoder's error says, in one line. */
export function reasonOf(error: unknown): string {
  const reason = (error as Error).message.split('\n')[0];
  return reason === 'Unknown error' ? 'damaged or cut short' : reason;
}
