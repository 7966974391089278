import t from 'tap';
import { imagesOf, sheet } from '../../../src/core/data/sheet.js';

t.test('lays images out in reading order', async (t) => {
  const images = imagesOf(
    Uint8Array.from({ length: 12 }, (_, i) => i + 1),
    4,
  );
  t.same(sheet(images, { height: 2, width: 2, channels: 1, gap: 1 }), {
    height: 5,
    width: 5,
    channels: 1,
    data: Uint8Array.from([1, 2, 0, 5, 6, 3, 4, 0, 7, 8, 0, 0, 0, 0, 0, 9, 10, 0, 0, 0, 11, 12, 0, 0, 0]),
  });
  const row = sheet([Uint8Array.from([1, 2, 3]), Uint8Array.from([4, 5, 6])], {
    height: 1,
    width: 1,
    channels: 3,
    columns: 2,
  });
  t.same(row, { height: 1, width: 2, channels: 3, data: Uint8Array.from([1, 2, 3, 4, 5, 6]) });
  t.throws(() => sheet([new Uint8Array(3)], { height: 2, width: 2, channels: 1 }), RangeError);
});
