import t from 'tap';
import { readFile } from 'node:fs/promises';
import { decodeAsIs, decodeImage, encodePng, fitPixels } from '../../../src/core/data/codec.js';
import { readNpy } from '../../../src/core/formats/npy.js';
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

t.test('pad never enlarges', async (t) => {
  const { data } = await readNpy(fixture('images/expected/pad-8.npy'));
  const grown = await decodeImage(fixture('images/mixed/birds/colour.png'), { resolution: 12, resize: 'pad', channels: 3 });
  for (let y = 0; y < 8; y++) {
    t.same([...grown.subarray(((y + 2) * 12 + 2) * 3, ((y + 2) * 12 + 10) * 3)], [...data.subarray(y * 24, y * 24 + 24)] as number[]);
  }
});

t.test('bombs and drawings are refused', async (t) => {
  const fit = { resolution: 8, resize: 'squash', channels: 3 } as const;
  await t.rejects(decodeImage(fixture('images/odd/bomb.png'), fit), /pixel limit/);
  await t.rejects(decodeImage(fixture('images/odd/drawing.png'), fit), /unsupported image format/);
  await t.rejects(decodeImage(fixture('images/mixed/cats/broken.png'), fit));
});
