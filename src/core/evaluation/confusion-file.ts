/** Which classes a classifier takes for which: as counts in .npy, or as a picture. */
import { writeAtomic } from '../formats/atomic.js';
import { writeNpy } from '../formats/npy.js';
import { encodePng } from '../data/codec.js';

/** Sides of the picture, about. */
const PIXELS = 800;

/**
 * `.npy`: int32 [classes, classes], rows are true classes and columns what they were taken for. `.png`: the same as
 * fractions of each row, black 0 to white 1, by their square root, so that rare confusions show.
 */
export async function writeConfusion(path: string, confusion: Uint32Array, classes: number): Promise<void> {
  if (/\.npy$/i.test(path)) return writeNpy(path, [classes, classes], Int32Array.from(confusion));
  const png = await confusionPicture(confusion, classes);
  await writeAtomic(path, async (handle) => void (await handle.writeFile(png)));
}

async function confusionPicture(confusion: Uint32Array, classes: number): Promise<Buffer> {
  const cell = Math.max(1, Math.floor(PIXELS / classes));
  const side = cell * classes;
  const pixels = new Uint8Array(side * side);
  for (let row = 0; row < classes; row++) {
    const counts = confusion.subarray(row * classes, (row + 1) * classes);
    const total = counts.reduce((sum, count) => sum + count, 0);
    for (let column = 0; column < classes; column++) {
      const value = total > 0 ? Math.round(255 * Math.sqrt(counts[column] / total)) : 0;
      for (let y = row * cell; y < (row + 1) * cell; y++) pixels.fill(value, y * side + column * cell, y * side + (column + 1) * cell);
    }
  }
  return encodePng(pixels, side, side, 1);
}
