/** Between uint8 images in files and [−1, 1] in the networks. */
import { addScalar, cast, scale } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';

/** uint8 0–255 → float32 [−1, 1], as x / 127.5 − 1. */
export function fromPixels(images: Tensor): Tensor {
  return addScalar(scale(cast(images, 'float32'), 1 / 127.5), -1);
}

/** The same outside a graph, to the bit. */
export function floatsFromPixels(images: Uint8Array): Float32Array {
  const factor = Math.fround(1 / 127.5);
  const levels = Float32Array.from({ length: 256 }, (_, pixel) => Math.fround(pixel * factor) - 1);
  const values = new Float32Array(images.length);
  for (let i = 0; i < images.length; i++) values[i] = levels[images[i]];
  return values;
}

/** float32 [−1, 1] → uint8, rounded to the nearest level: the inverse of `fromPixels`. */
export function toPixels(values: Float32Array): Uint8Array {
  // Clamps as it stores; a loop is many times quicker here than Array.from with a function.
  const pixels = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i++) pixels[i] = Math.round((values[i] + 1) * 127.5);
  return new Uint8Array(pixels.buffer);
}
