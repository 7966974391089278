/** Mirrors images at random, left to right. */
import { integerRandom } from '../random.js';

/** Separates these random streams from those of orders and crops. */
const MIRROR_STREAM = 2;

/**
 * Mirrors each of the images uint8 [n, height, width, channels] with probability 1/2, in place: by the seed, the step
 * and its place in the batch alone.
 */
export function mirrorAtRandom(
  images: Uint8Array,
  shape: { height: number; width: number; channels: number },
  seed: number,
  step: number,
): void {
  const rowLength = shape.width * shape.channels;
  const imageLength = shape.height * rowLength;
  for (let place = 0; place < images.length / imageLength; place++) {
    if (integerRandom(seed, MIRROR_STREAM, step, place).below(2) === 0) continue;
    for (let y = 0; y < shape.height; y++) {
      const at = place * imageLength + y * rowLength;
      mirrorRow(images.subarray(at, at + rowLength), shape.channels);
    }
  }
}

/** The pixels of a row in reverse; each keeps the order of its channels. */
function mirrorRow(row: Uint8Array, channels: number): void {
  for (let left = 0, right = row.length - channels; left < right; left += channels, right -= channels) {
    for (let c = 0; c < channels; c++) {
      const kept = row[left + c];
      row[left + c] = row[right + c];
      row[right + c] = kept;
    }
  }
}
