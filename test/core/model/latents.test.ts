import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import type { Prior } from '../../../src/core/model/config.js';
import { encoderNoise, labelsOf, latentsOf } from '../../../src/core/model/latents.js';

const engine = await startEngine();
const space = (latent: number, prior: Prior = 'normal', classes = 1) => ({ latent, prior, classes });
const moments = (values: Float32Array) => {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const moment = (k: number) => values.reduce((sum, v) => sum + (v - mean) ** k, 0) / values.length;
  return { mean, variance: moment(2), skew: moment(3) / moment(2) ** 1.5, kurtosis: moment(4) / moment(2) ** 2 };
};

t.test('a row follows from its seed alone', async (t) => {
  const together = latentsOf(engine, [3, 1, 4, 1], space(10));
  t.equal(together.length, 40);
  t.same(together.subarray(10, 20), together.subarray(30, 40));
  [3, 1, 4].forEach((seed, i) => t.same(latentsOf(engine, [seed], space(10)), together.slice(i * 10, (i + 1) * 10)));
  const seeds = [-2147483648, -1, 0, 1, 2147483647];
  t.equal(new Set(seeds.map((seed) => String(latentsOf(engine, [seed], space(4))))).size, seeds.length);
});

t.test('standard normal, and rows and dimensions apart', async (t) => {
  const n = 1000;
  const rows = latentsOf(
    engine,
    Array.from({ length: n }, (_, i) => i),
    space(12),
  );
  const { mean, variance, skew, kurtosis } = moments(rows);
  // Standard errors for 12,000 values: 0.009, 0.013, 0.022, 0.045.
  t.ok(Math.abs(mean) < 0.04, `mean ${mean}`);
  t.ok(Math.abs(variance - 1) < 0.06, `variance ${variance}`);
  t.ok(Math.abs(skew) < 0.1, `skew ${skew}`);
  t.ok(Math.abs(kurtosis - 3) < 0.25, `kurtosis ${kurtosis}`);
  const correlation = (a: (i: number) => number, b: (i: number) => number) =>
    Array.from({ length: n - 1 }, (_, i) => a(i) * b(i)).reduce((x, y) => x + y) / n;
  t.ok(
    Math.abs(
      correlation(
        (i) => rows[i * 12],
        (i) => rows[(i + 1) * 12],
      ),
    ) < 0.13,
    'neighbouring seeds',
  );
  t.ok(
    Math.abs(
      correlation(
        (i) => rows[i * 12],
        (i) => rows[i * 12 + 1],
      ),
    ) < 0.13,
    'neighbouring dimensions',
  );
});

t.test('truncation keeps values within its bound, and a normal shape below it', async (t) => {
  const seeds = Array.from({ length: 300 }, (_, i) => i);
  const half = latentsOf(engine, seeds, space(12), 0.5);
  t.ok(half.every((value) => Math.abs(value) <= 0.5));
  t.ok(half.every((value) => value !== 0));
  // Variance of N(0, 1) cut at 0.5: 1 − 2·0.5·φ(0.5) / (2Φ(0.5) − 1) = 0.08064 (clamping would give 0.186).
  t.ok(Math.abs(moments(half).variance - 0.0806) < 0.006, `${moments(half).variance}`);
  t.same(latentsOf(engine, [7], space(12), 0.5), half.slice(84, 96));
  t.same(latentsOf(engine, [7], space(12), 100), latentsOf(engine, [7], space(12)), 'a wide bound changes nothing');
  t.ok(latentsOf(engine, [7], space(300), 0.01).every((value) => Math.abs(value) <= 0.01 && value !== 0));
  t.equal(new Set(latentsOf(engine, [7], space(300), 0.01)).size, 300, 'no value comes twice');
});

t.test("E's noise follows from the seed and the image's number", async (t) => {
  const all = encoderNoise(engine, 5, 0, 6, 4);
  t.same(encoderNoise(engine, 5, 2, 3, 4), all.slice(8, 20));
  t.not(String(encoderNoise(engine, 6, 0, 6, 4)), String(all));
  const { mean, variance } = moments(encoderNoise(engine, 5, 0, 500, 8));
  t.ok(Math.abs(mean) < 0.08 && Math.abs(variance - 1) < 0.12, `${mean}, ${variance}`);
});

t.test('no tensors are left behind', async (t) => {
  const before = engine.alive();
  latentsOf(engine, [1, 2, 3], space(8), 0.3);
  encoderNoise(engine, 1, 0, 5, 8);
  t.equal(engine.alive(), before);
});

t.test('a uniform prior fills [−1, 1] evenly', async (t) => {
  const rows = latentsOf(
    engine,
    Array.from({ length: 1000 }, (_, i) => i),
    space(12, 'uniform'),
  );
  t.ok(rows.every((value) => value >= -1 && value < 1));
  const { mean, variance, kurtosis } = moments(rows);
  t.ok(Math.abs(mean) < 0.025, `mean ${mean}`);
  t.ok(Math.abs(variance - 1 / 3) < 0.015, `variance ${variance}`);
  t.ok(Math.abs(kurtosis - 1.8) < 0.06, `kurtosis ${kurtosis}`);
});

t.test('labels follow from seeds, and all classes are about equally frequent', async (t) => {
  const labels = labelsOf(
    Array.from({ length: 10_000 }, (_, i) => i),
    space(1, 'normal', 10),
  );
  t.same(labelsOf([7, 3], space(1, 'normal', 10)), [labels[7], labels[3]]);
  const counts = Array.from({ length: 10 }, (_, label) => labels.filter((value) => value === label).length);
  // Five standard deviations of a binomial count.
  t.ok(
    counts.every((count) => Math.abs(count - 1000) < 150),
    String(counts),
  );
});
