/** Which classes a classifier takes for which: as counts in .npy, or as a picture. */

import { encodePng } from '../../data/codec.js';
import { drawText, type Grey, TEXT_HEIGHT, textWidth } from '../../data/tiny-text.js';
import { writeAtomic } from '../../formats/atomic.js';
import { writeNpy } from '../../formats/npy/npy.js';

/** Sides of the matrix, about. */
const PIXELS = 800;
/** Around texts. */
const GAP = 6;
const WHITE = 255;

/**
 * `.npy`: int32 [classes, classes], rows are true classes and columns what they were taken for, in the order of the
 * class numbers. `.png`: the same as fractions of each row, black 0 to white 1, by their square root, so that rare
 * confusions show.
 * @param classes their numbers, ascending
 */
export async function writeConfusion(path: string, confusion: Uint32Array, classes: Int32Array): Promise<void> {
  if (/\.npy$/i.test(path)) return writeNpy(path, [classes.length, classes.length], Int32Array.from(confusion));
  const { data, height, width } = confusionPicture(confusion, classes);
  const png = await encodePng(data, height, width, 1);
  await writeAtomic(path, async (handle) => void (await handle.writeFile(png)));
}

/** The matrix with class numbers at its left and above, as many as there is room for. */
export function confusionPicture(confusion: Uint32Array, classes: Int32Array): Grey {
  const n = classes.length;
  const cell = Math.max(1, Math.floor(PIXELS / n));
  const names = Array.from(classes, String);
  const longest = Math.max(...names.map(textWidth));
  const [left, top] = [3 * GAP + Math.max(longest, textWidth('TRUE')), 4 * GAP + 2 * TEXT_HEIGHT];
  const [width, height] = [left + n * cell + GAP + Math.floor(longest / 2), top + n * cell + GAP];
  const picture = { data: new Uint8Array(width * height).fill(WHITE), height, width };
  for (let row = 0; row < n; row++) {
    const counts = confusion.subarray(row * n, (row + 1) * n);
    const total = counts.reduce((sum, count) => sum + count, 0);
    counts.forEach((count, column) => {
      const value = total > 0 ? Math.round(WHITE * Math.sqrt(count / total)) : 0;
      const at = left + column * cell;
      for (let y = top + row * cell; y < top + (row + 1) * cell; y++)
        picture.data.fill(value, y * width + at, y * width + at + cell);
    });
  }
  drawText(picture, 'PREDICTED', left, GAP);
  drawText(picture, 'TRUE', GAP, GAP);
  const middle = (i: number, size: number) => Math.floor(i * cell + (cell - size) / 2);
  const [across, down] = [spacing(longest + GAP, cell), spacing(TEXT_HEIGHT + GAP / 2, cell)];
  names.forEach((name, i) => {
    const size = textWidth(name);
    if (i % across === 0) drawText(picture, name, left + middle(i, size), 2 * GAP + TEXT_HEIGHT);
    if (i % down === 0) drawText(picture, name, left - GAP - size, top + middle(i, TEXT_HEIGHT));
  });
  return picture;
}

/** Every how many cells a text of this size has room: 1, 2, 5, 10, 20 and so on. */
function spacing(size: number, cell: number): number {
  for (let power = 1; ; power *= 10) {
    for (const step of [power, 2 * power, 5 * power]) if (step * cell >= size) return step;
  }
}
