import { readFile } from 'node:fs/promises';
import t from 'tap';
import { cropBox, cropRandom, RULES } from '../../../../src/core/data/loading/crop.js';
import { fixture } from '../../../paths.js';

type RandomCrop = keyof typeof RULES;

interface Reference {
  crop: RandomCrop;
  height: number;
  width: number;
  /** Share of draws that are the whole image; of the others, quantiles of what follows. */
  whole: number;
  area: (number | null)[];
  aspect: (number | null)[];
}

const QUANTILES = [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98];
const DRAWS = 20_000;

t.test("sizes are spread as TensorFlow's own", async (t) => {
  const cases = JSON.parse(await readFile(fixture('images/crops.json'), 'utf8')) as Reference[];
  t.equal(cases.length, 10);
  for (const { crop, height, width, ...wanted } of cases) {
    const boxes = Array.from({ length: DRAWS }, (_, i) => cropBox(crop, height, width, 128, cropRandom(3, 0, i)));
    // In place of the whole image, random-resized takes a centre that chance practically never gives.
    const side = Math.floor((Math.min(height, width) * 128) / 160);
    const isWhole = (box: (typeof boxes)[0]) =>
      crop === 'distorted'
        ? box.width === width && box.height === height
        : box.width === side &&
          box.height === side &&
          box.left === (width - side + 1) >> 1 &&
          box.top === (height - side + 1) >> 1;
    const parts = boxes.filter((box) => !isWhole(box));
    const name = `${crop} ${height} x ${width}`;
    const share = 1 - parts.length / DRAWS;
    t.ok(Math.abs(share - wanted.whole) < 0.003, `${name}: whole ${share}, TensorFlow ${wanted.whole}`);
    const compare = (what: 'area' | 'aspect', values: number[], tolerance: number) => {
      values.sort((a, b) => a - b);
      QUANTILES.forEach((q, i) => {
        const [found, reference] = [values[Math.floor(q * values.length)] ?? null, wanted[what][i]];
        const close =
          found === null || reference === null ? found === reference : Math.abs(found - reference) <= tolerance;
        t.ok(close, `${name}: ${what} at ${q} is ${found}, TensorFlow ${reference}`);
      });
    };
    // In 32 pixels a row more is a thirtieth of the area.
    compare(
      'area',
      parts.map((box) => (box.height * box.width) / (height * width)),
      height === 32 ? 0.035 : 0.015,
    );
    compare(
      'aspect',
      parts.map((box) => box.width / box.height),
      0.02,
    );
  }
});

t.test('parts lie inside, whatever the size', async (t) => {
  for (const crop of Object.keys(RULES) as RandomCrop[]) {
    for (const [height, width] of [
      [1, 1],
      [1, 9],
      [9, 1],
      [2, 3],
      [7, 5],
      [33, 32],
      [20, 700],
      [700, 20],
      [3000, 2000],
    ]) {
      for (let i = 0; i < 500; i++) {
        const { left, top, width: w, height: h } = cropBox(crop, height, width, 32, cropRandom(0, 1, i));
        const sound = [left, top, w, h].every(Number.isInteger) && left >= 0 && top >= 0 && w >= 1 && h >= 1;
        if (!sound || left + w > width || top + h > height)
          t.fail(`${crop} ${height} x ${width}: ${left} ${top} ${w} ${h}`);
        if (crop === 'distorted' && w !== h && (w < width || h < height)) t.fail(`${w} x ${h} is no square`);
      }
    }
  }
  t.pass();
});

t.test('all positions are as likely, the last as well', async (t) => {
  for (const crop of Object.keys(RULES) as RandomCrop[]) {
    for (const [height, width] of [
      [32, 32],
      [350, 400],
    ]) {
      const boxes = Array.from({ length: DRAWS }, (_, i) => cropBox(crop, height, width, 128, cropRandom(4, 0, i)));
      for (const [side, place, extent] of [
        ['width', 'left', width],
        ['height', 'top', height],
      ] as const) {
        // The middle of a position's share of the room is even between 0 and 1 where positions are.
        const middles = boxes.map((box) => (box[place] + 0.5) / (extent - box[side] + 1));
        const [mean, low] = [
          middles.reduce((sum, x) => sum + x) / DRAWS,
          middles.filter((x) => x < 0.5).length / DRAWS,
        ];
        t.ok(Math.abs(mean - 0.5) < 0.01, `${crop} ${height} x ${width}: ${place} has mean ${mean}`);
        t.ok(low < 0.515, `${crop} ${height} x ${width}: ${place} lies in the first half in ${low}`);
      }
    }
  }
  const seen = new Set<number>();
  for (let i = 0; i < 4000; i++) {
    const { left, width } = cropBox('distorted', 10, 10, 10, cropRandom(0, 0, i));
    if (width === 8) seen.add(left);
  }
  t.same([...seen].sort(), [0, 1, 2]);
});

t.test('a long image: its centre, or squashed', async (t) => {
  // 20 x 700: no part of aspect 4/3 has a tenth of it. 20 * 96 / 128 = 15, the odd pixel before.
  t.same(cropBox('random-resized', 20, 700, 96, cropRandom(0, 0, 0)), { left: 343, top: 3, width: 15, height: 15 });
  t.same(cropBox('distorted', 20, 700, 96, cropRandom(0, 0, 0)), { left: 0, top: 0, width: 700, height: 20 });
});

t.test('the part depends on the seed, the step and the place alone, and on each of them', async (t) => {
  const box = (seed: number, step: number, place: number) =>
    cropBox('random-resized', 350, 400, 128, cropRandom(seed, step, place));
  t.same(box(5, 6, 7), box(5, 6, 7));
  const all = [box(5, 6, 7), box(6, 6, 7), box(5, 7, 7), box(5, 6, 8), box(5, 7, 6), box(5 + 2 ** 40, 6, 7)];
  t.equal(new Set(all.map((one) => JSON.stringify(one))).size, all.length);
});
