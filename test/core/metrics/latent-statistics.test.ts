import t from 'tap';
import { latentStatistics } from '../../../src/core/metrics/latent-statistics.js';

t.test('by hand: two images, one dimension that tells them apart and one that does not', async (t) => {
  const mean = Float32Array.of(1, -1, 3, -1);
  const std = Float32Array.of(0.5, 2, 0.5, 1);
  const found = latentStatistics(mean, std, 2, 'normal');
  t.equal(found.z_mean, 0.5);
  t.ok(Math.abs(found.z_mean_rms - Math.sqrt((4 + 1) / 2)) < 1e-12);
  // Variances 1 + 0.25 and 0 + (4 + 1) / 2.
  t.ok(Math.abs(found.z_std - Math.sqrt((1.25 + 2.5) / 2)) < 1e-12);
  t.equal(found.prior_std, 1);
  t.equal(found.dead_dimensions, 0.5);
});

t.test('latents of the prior are at its numbers', async (t) => {
  // The midpoints of equal parts of U(−1, 1).
  const n = 1000;
  const mean = Float32Array.from({ length: n }, (_, i) => (2 * i + 1) / n - 1);
  const found = latentStatistics(mean, new Float32Array(n), 1, 'uniform');
  t.ok(Math.abs(found.z_mean) < 1e-7);
  t.ok(Math.abs(found.z_std / found.prior_std - 1) < 1e-6);
  t.equal(found.prior_std, Math.sqrt(1 / 3));
  t.equal(found.dead_dimensions, 0);
});

t.test('a dimension is dead below a hundredth of the variance of the prior', async (t) => {
  const of = (spread: number, prior: 'normal' | 'uniform') =>
    latentStatistics(Float32Array.of(-spread, spread), new Float32Array(2), 1, prior).dead_dimensions;
  t.equal(of(0.099, 'normal'), 1);
  t.equal(of(0.101, 'normal'), 0);
  t.equal(of(0.057, 'uniform'), 1);
  t.equal(of(0.058, 'uniform'), 0);
});
