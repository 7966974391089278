import t from 'tap';
import { mirrorAtRandom } from '../../../../src/core/data/loading/mirror.js';

const SHAPE = { height: 2, width: 3, channels: 3 };
const images = Uint8Array.from({ length: 400 * 18 }, (_, i) => (i * 7) % 256);

/** Of one image, by the definition. */
function mirrored(image: Uint8Array): Uint8Array {
  return image.map((_, i) => {
    const [y, x, c] = [Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3];
    return image[y * 9 + (2 - x) * 3 + c];
  });
}

function mirrors(seed: number, step: number): boolean[] {
  const result = images.slice();
  mirrorAtRandom(result, SHAPE, seed, step);
  return Array.from({ length: 400 }, (_, i) => {
    const [before, after] = [images, result].map((all) => Buffer.from(all.slice(i * 18, (i + 1) * 18)));
    if (before.equals(after)) return false;
    t.ok(after.equals(mirrored(before)), `image ${i} is mirrored`);
    return true;
  });
}

t.test('about half of the images are mirrored whole, by seed and step alone', async (t) => {
  const first = mirrors(5, 0);
  const count = first.filter(Boolean).length;
  // 400 tosses: a standard deviation of 10.
  t.ok(count > 150 && count < 250, `${count}`);
  t.same(mirrors(5, 0), first);
  t.notSame(mirrors(5, 1), first);
  t.notSame(mirrors(6, 0), first);
});

t.test('a place does not depend on how many images there are', async (t) => {
  const some = images.slice(0, 180);
  mirrorAtRandom(some, SHAPE, 5, 0);
  const all = images.slice();
  mirrorAtRandom(all, SHAPE, 5, 0);
  t.same(some, all.slice(0, 180));
});
