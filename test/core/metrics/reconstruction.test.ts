import t from 'tap';
import { type ReconstructionPair, reconstructionError } from '../../../src/core/metrics/reconstruction.js';

const pair = (originals: number[], reconstructions: number[], count: number): ReconstructionPair => ({
  count,
  height: 1,
  width: originals.length / count,
  channels: 1,
  originals: Uint8Array.from(originals),
  reconstructions: Uint8Array.from(reconstructions),
});
const near = (found: number, wanted: number) => Math.abs(found - wanted) < 1e-12;

t.test('two images have one partner each: numbers by hand', async (t) => {
  // matched: |0−10| + |100−90| + |200−200| + |50−40| = 30; mismatched: |200−10| + |50−90| + |0−200| + |100−40| = 490
  const { matched, mismatched, ratio } = reconstructionError(pair([0, 100, 200, 50], [10, 90, 200, 40], 2), 0).l1;
  t.ok(near(matched, 30 / (4 * 255)));
  t.ok(near(mismatched, 490 / (4 * 255)));
  t.ok(near(ratio, 30 / 490));
});

t.test('L2: means of the norms of whole images, not the norm of everything', async (t) => {
  // Norms, matched: √(10² + 10²), √(0² + 10²); mismatched: √(190² + 40²), √(200² + 60²).
  const images = pair([0, 100, 200, 50], [10, 90, 200, 40], 2);
  const { matched, mismatched, ratio } = reconstructionError(images, 0).l2;
  const [own, other] = [Math.hypot(10, 10) + Math.hypot(0, 10), Math.hypot(190, 40) + Math.hypot(200, 60)];
  t.ok(near(matched, own / (2 * 255)));
  t.ok(near(mismatched, other / (2 * 255)));
  t.ok(near(ratio, own / other));
});

t.test('perfect reconstructions give 0, the same picture for all gives 1', async (t) => {
  const originals = Array.from({ length: 60 }, (_, i) => (i * 37) % 256);
  t.equal(reconstructionError(pair(originals, originals, 10), 3).l1.ratio, 0);
  const blind = Array.from({ length: 60 }, (_, i) => [50, 60, 70, 80, 90, 100][i % 6]);
  t.ok(near(reconstructionError(pair(originals, blind, 10), 3).l1.ratio, 1));
});

t.test('nobody is his own partner, and everybody is a partner once', async (t) => {
  // One pixel an image, one image bright: its pairs alone differ.
  for (let seed = 0; seed < 200; seed++) {
    const count = 2 + (seed % 4);
    for (let image = 0; image < count; image++) {
      const reconstructions = Array.from({ length: count }, (_, i) => (i === image ? 255 : 0));
      const originals = reconstructions;
      const { matched, mismatched } = reconstructionError(pair(originals, reconstructions, count), seed).l1;
      t.equal(matched, 0);
      // The bright one is judged against a dark one, and a dark one against the bright one.
      if (!near(mismatched, 2 / count)) t.fail(`seed ${seed}, image ${image} of ${count}: ${mismatched}`);
    }
  }
});

t.test('the seed decides the pairing and nothing else', async (t) => {
  const originals = Array.from({ length: 40 }, (_, i) => (i * i * 7) % 256);
  const reconstructions = originals.map((value) => Math.min(255, value + 3));
  const results = [1, 2, 1].map((seed) => reconstructionError(pair(originals, reconstructions, 20), seed).l1);
  t.same(results[0], results[2]);
  t.equal(results[0].matched, results[1].matched);
  t.not(results[0].mismatched, results[1].mismatched);
});

t.test('what has no ratio is an error', async (t) => {
  t.throws(() => reconstructionError(pair([1, 2], [1, 2], 1), 0), /2 or more images/);
  t.throws(() => reconstructionError(pair([5, 5, 5], [5, 5, 5], 3), 0), /all images are the same/);
});
