import { readFile } from 'node:fs/promises';
import t from 'tap';
import { checkImage, cropImage, decodeAsIs, decodeImage, encodePng, fitPixels } from '../../../src/core/data/codec.js';
import { readNpy } from '../../../src/core/formats/npy/npy.js';
import { fixture } from '../../paths.js';

t.test('PNG out and in again, grey and colour', async (t) => {
  for (const channels of [1, 3] as const) {
    const pixels = Uint8Array.from({ length: 5 * 7 * channels }, (_, i) => (i * 37) % 256);
    const png = await encodePng(pixels, 5, 7, channels);
    // Width and height stand at 16 and 20 of a PNG, the colour type at 25: 0 grey, 2 colour.
    t.same([png.readUInt32BE(16), png.readUInt32BE(20), png[25]], [7, 5, channels === 1 ? 0 : 2]);
    const { data, height, width, channels: found } = await decodeAsIs(png);
    t.same([height, width, found], [5, 7, channels]);
    t.same([...data], [...pixels]);
  }
});

t.test('a path and its bytes decode alike', async (t) => {
  const path = fixture('images/large.png');
  const fit = { resolution: 16, resize: 'squash', channels: 3 } as const;
  t.same(await decodeImage(path, fit), await decodeImage(await readFile(path), fit));
});

t.test('pixels fit as a file of them does', async (t) => {
  const path = fixture('images/large.png');
  const image = await decodeAsIs(path);
  t.same([image.height, image.width, image.channels], [48, 72, 3]);
  for (const resize of ['center-crop', 'squash', 'pad'] as const) {
    for (const resolution of [16, 80]) {
      const fit = { resolution, resize, channels: 1 } as const;
      t.same(await fitPixels(image, fit), await decodeImage(path, fit), `${resize} ${resolution}`);
    }
  }
});

t.test('a part without resampling is the pixels themselves, of files and of pixels', async (t) => {
  const { data } = await readNpy(fixture('images/expected/large-part.npy'));
  const part = (height: number, width: number) => {
    t.same([height, width], [48, 72]);
    // Inside the fixture's part, which begins at 21, 5 and is 40 wide: 12 x 12 pixels from its 3rd column and 4th row.
    return { left: 24, top: 9, width: 12, height: 12 };
  };
  const wanted = Array.from({ length: 12 }, (_, y) => [
    ...data.slice(((y + 4) * 40 + 3) * 3, ((y + 4) * 40 + 15) * 3),
  ]).flat();
  const path = fixture('images/large.png');
  for (const input of [await readFile(path), await decodeAsIs(path)]) {
    for (const kernel of ['cubic', 'linear'] as const) {
      t.same([...(await cropImage(input, { box: part, kernel, resolution: 12, channels: 3 }))], wanted);
    }
  }
  // Grey stays grey, and becomes colour by repetition.
  const grey = Uint8Array.from({ length: 30 }, (_, i) => i * 8);
  const box = () => ({ left: 1, top: 2, width: 3, height: 3 });
  const cut = (channels: 1 | 3) =>
    cropImage({ data: grey, height: 5, width: 6, channels: 1 }, { box, kernel: 'cubic', resolution: 3, channels });
  const rows = [13, 14, 15, 19, 20, 21, 25, 26, 27].map((i) => i * 8);
  t.same([...(await cut(1))], rows);
  t.same(
    [...(await cut(3))],
    rows.flatMap((value) => [value, value, value]),
  );
});

t.test('a part shrinks as by another implementation of the filter', async (t) => {
  const box = () => ({ left: 21, top: 5, width: 40, height: 36 });
  for (const kernel of ['cubic', 'linear'] as const) {
    const found = await cropImage(await readFile(fixture('images/large.png')), {
      box,
      kernel,
      resolution: 16,
      channels: 3,
    });
    const wanted = (await readNpy(fixture(`images/expected/large-part-${kernel}-16.npy`))).data as Uint8Array;
    t.ok(
      found.every((value, i) => Math.abs(value - wanted[i]) <= 2),
      kernel,
    );
  }
});

t.test('parts are of the upright image', async (t) => {
  const bytes = await readFile(fixture('images/mixed/cats/rotated.jpg'));
  const { data } = await decodeAsIs(bytes);
  const box = (height: number, width: number) => {
    t.same([height, width], [8, 4]);
    return { left: 1, top: 3, width: 2, height: 2 };
  };
  const rows = [3, 4].flatMap((y) => [...data.subarray((y * 4 + 1) * 3, (y * 4 + 3) * 3)]);
  t.same([...(await cropImage(bytes, { box, kernel: 'cubic', resolution: 2, channels: 3 }))], rows);
});

t.test('a check names the format by the content, and finds what is broken', async (t) => {
  const check = async (name: string) => checkImage(await readFile(fixture(`images/${name}`)));
  t.equal(await check('mixed/birds/deep/er/grey.PNG'), 'png');
  t.equal(await check('mixed/cats/UPPER.JPEG'), 'jpg');
  t.equal(await check('mixed/cats/palette.gif'), 'gif');
  await t.rejects(check('mixed/cats/broken.png'));
  await t.rejects(check('odd/bomb.png'), /pixel limit/);
  await t.rejects(check('odd/drawing.png'), /unsupported image format/);
});

t.test('pad never enlarges', async (t) => {
  const { data } = await readNpy(fixture('images/expected/pad-8.npy'));
  const grown = await decodeImage(fixture('images/mixed/birds/colour.png'), {
    resolution: 12,
    resize: 'pad',
    channels: 3,
  });
  for (let y = 0; y < 8; y++) {
    t.same([...grown.subarray(((y + 2) * 12 + 2) * 3, ((y + 2) * 12 + 10) * 3)], [
      ...data.subarray(y * 24, y * 24 + 24),
    ] as number[]);
  }
});

t.test('bombs and drawings are refused', async (t) => {
  const fit = { resolution: 8, resize: 'squash', channels: 3 } as const;
  await t.rejects(decodeImage(fixture('images/odd/bomb.png'), fit), /pixel limit/);
  await t.rejects(decodeImage(fixture('images/odd/drawing.png'), fit), /unsupported image format/);
  await t.rejects(decodeImage(fixture('images/mixed/cats/broken.png'), fit));
});
