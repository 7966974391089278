import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { confusionPicture, writeConfusion } from '../../../../src/core/evaluation/probe/confusion-file.js';
import { readNpy } from '../../../../src/core/formats/npy/npy.js';

const CLASSES = Int32Array.of(3, 4, 7);
const COUNTS = Uint32Array.of(4, 0, 0, 3, 1, 0, 0, 0, 0);

t.test('counts as .npy', async (t) => {
  const path = join(t.testdir(), 'confusion.npy');
  await writeConfusion(path, COUNTS, CLASSES);
  t.match(await readNpy(path), { shape: [3, 3], dtype: 'int32', data: Int32Array.from(COUNTS) });
});

t.test('a picture: fractions of each row, and the numbers of its classes', async (t) => {
  const path = join(t.testdir(), 'confusion.png');
  await writeConfusion(path, COUNTS, CLASSES);
  const { data, info } = await sharp(path).greyscale().raw().toBuffer({ resolveWithObject: true });
  // 266 pixels for each of 3 classes; TRUE is 30 wide, with 6 around it and before the matrix; two lines of text above.
  const [left, top, cell] = [48, 44, 266];
  t.match(info, { width: left + 3 * cell + 9, height: top + 3 * cell + 6 });
  const at = (x: number, y: number) => data[y * info.width + x];
  const values = [0, 1, 2].map((row) => [0, 1, 2].map((column) => at(left + column * cell + 5, top + row * cell + 5)));
  t.same(values, [
    [255, 0, 0],
    [Math.round(255 * Math.sqrt(0.75)), Math.round(255 / 2), 0],
    [0, 0, 0],
  ]);
  t.same(
    [at(left - 1, top + 5), at(left + 3 * cell, top + 5), at(left + 5, top + 3 * cell)],
    [255, 255, 255],
    'white around it',
  );

  /** A character of 3 x 5 as it is drawn, each of its pixels 2 wide. */
  const drawn = (x: number, y: number) =>
    Array.from({ length: 5 }, (_, j) =>
      Array.from({ length: 3 }, (_, i) => (at(x + 2 * i, y + 2 * j) === 0 ? '#' : '.')).join(''),
    );
  const seven = ['###', '..#', '.#.', '.#.', '.#.'];
  t.same(drawn(left + 2 * cell + (cell - 6) / 2, 22), seven, 'above the third column');
  t.same(drawn(left - 6 - 6, top + 2 * cell + (cell - 10) / 2), seven, 'left of the third row');
  t.same(drawn(left + (cell - 6) / 2, 22), ['###', '..#', '###', '..#', '###'], '3 above the first column');
  t.same(drawn(left, 6), ['###', '#.#', '###', '#..', '#..'], 'P of PREDICTED');
});

t.test('numbers are thinned out where there is no room for all, and none is cut', async (t) => {
  for (const n of [1, 30, 1000]) {
    const { data, width, height } = confusionPicture(
      new Uint32Array(n * n).fill(1),
      Int32Array.from({ length: n }, (_, i) => 1000 + i),
    );
    const inked = (x: number, y: number) => data[y * width + x] === 0;
    const line = Array.from({ length: width }, (_, x) =>
      Array.from({ length: 10 }, (_, j) => inked(x, 22 + j)).some(Boolean),
    );
    const widths = line
      .join('')
      .split(/(?:false){6,}/)
      .filter(Boolean)
      .map((run) => run.match(/true|false/g)!.length);
    t.ok(
      widths.every((size) => size <= 30),
      `${n} classes: numbers of 4 digits, 6 pixels or more apart`,
    );
    t.ok(widths.length >= Math.min(n, 15), `${n} classes: ${widths.length} texts`);
    const column = Array.from({ length: height - 34 }, (_, y) =>
      Array.from({ length: 20 }, (_, i) => inked(12 + i, 34 + y)).some(Boolean),
    );
    const heights = column
      .join('')
      .split(/(?:false){3,}/)
      .filter(Boolean)
      .map((run) => run.match(/true|false/g)!.length);
    t.ok(
      heights.every((size) => size <= 10) && heights.length >= Math.min(n, 30),
      `${n} classes: ${heights.length} rows of numbers`,
    );
    const edge = Array.from({ length: height }, (_, y) => inked(width - 1, y) || inked(0, y));
    t.notOk(edge.includes(true), 'nothing at the edges');
  }
});
