import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { readNpz } from '../../../src/core/formats/zip/npz.js';
import { createMoments } from '../../../src/core/metrics/statistics.js';
import { fixture } from '../../paths.js';

/** Two-pass mean and covariance, written out. */
function direct(rows: Float32Array, n: number, width: number) {
  const mean = Float64Array.from({ length: width }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += rows[i * width + j];
    return sum / n;
  });
  const covariance = new Float64Array(width * width);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < width; j++) {
      for (let k = 0; k < width; k++) {
        covariance[j * width + k] += (rows[i * width + j] - mean[j]) * (rows[i * width + k] - mean[k]);
      }
    }
  }
  return { mean, covariance: covariance.map((value) => value / (n - 1)) };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

t.test('mean and covariance agree with two passes over all rows, also across blocks', async (t) => {
  const engine = await startEngine();
  const { data, shape } = (await readNpz(fixture('metrics/frechet-3.npz'))).y;
  const [n, width] = shape;
  const moments = createMoments(engine, width);
  moments.add(data as Float32Array, n);
  const result = moments.result();
  const wanted = direct(data as Float32Array, n, width);
  t.equal(result.n, n);
  t.ok(largestDifference(result.mean, wanted.mean) < 1e-12);
  t.ok(largestDifference(result.covariance, wanted.covariance) < 1e-12);
});

t.test('a large mean costs no digits', async (t) => {
  const engine = await startEngine();
  const rows = Float32Array.from({ length: 3000 * 3 }, (_, i) => 1e6 + ((i * 7919) % 101) / 8);
  const moments = createMoments(engine, 3);
  moments.add(rows, 3000);
  t.ok(largestDifference(moments.result().covariance, direct(rows, 3000, 3).covariance) < 1e-9);
});

t.test('how the rows arrive does not matter', async (t) => {
  const engine = await startEngine();
  const { data, shape } = (await readNpz(fixture('metrics/frechet-3.npz'))).y;
  const [n, width] = shape;
  const whole = createMoments(engine, width);
  whole.add(data as Float32Array, n);
  for (const size of [1, 7, 1024, 1500]) {
    const pieces = createMoments(engine, width);
    for (let first = 0; first < n; first += size) {
      const count = Math.min(size, n - first);
      pieces.add((data as Float32Array).slice(first * width, (first + count) * width), count);
    }
    t.ok(largestDifference(pieces.result().covariance, whole.result().covariance) < 1e-9, `pieces of ${size}`);
    t.ok(largestDifference(pieces.result().mean, whole.result().mean) < 1e-9, `pieces of ${size}`);
  }
});

t.test('one row has no covariance', async (t) => {
  const moments = createMoments(await startEngine(), 2);
  moments.add(Float32Array.of(1, 2), 1);
  t.throws(() => moments.result(), /expected 2 rows or more for a covariance, got 1/);
});

t.test('nothing stays behind in the engine', async (t) => {
  const engine = await startEngine();
  const before = engine.alive();
  const moments = createMoments(engine, 4);
  moments.add(new Float32Array(4 * 2000), 2000);
  moments.result();
  t.equal(engine.alive(), before);
});
