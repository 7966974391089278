import { readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { readNpz } from '../../../src/core/formats/zip/npz.js';
import { frechetDistance } from '../../../src/core/metrics/frechet.js';
import { createMoments, type Statistics } from '../../../src/core/metrics/statistics.js';
import { fixture } from '../../paths.js';
import { formulaRows } from './formula.js';

interface Golden {
  file: string;
  distance: number;
}

async function statistics(rows: Float32Array, width: number): Promise<Statistics> {
  const moments = createMoments(await startEngine(), width);
  moments.add(rows, rows.length / width);
  return moments.result();
}

async function pair(file: string): Promise<[Statistics, Statistics]> {
  const { x, y } = await readNpz(fixture(`metrics/${file}`));
  return [await statistics(x.data as Float32Array, x.shape[1]), await statistics(y.data as Float32Array, y.shape[1])];
}

function diagonal(mean: number[], variances: number[]): Statistics {
  const width = mean.length;
  const covariance = new Float64Array(width * width);
  variances.forEach((value, i) => (covariance[i * width + i] = value));
  return { mean: Float64Array.from(mean), covariance };
}

function close(t: Test, got: number, wanted: number, tolerance: number, what: string) {
  t.ok(Math.abs(got - wanted) <= tolerance, `${what}: ${got} within ${tolerance} of ${wanted}`);
}

t.test("agrees with SciPy's answers, also where rows are fewer than columns", async (t) => {
  const engine = await startEngine();
  const golden = JSON.parse(await readFile(fixture('metrics/frechet.json'), 'utf8')) as Golden[];
  for (const { file, distance } of golden) {
    const [a, b] = await pair(file);
    close(t, frechetDistance(engine, a, b), distance, 1e-6 * distance, file);
    close(t, frechetDistance(engine, b, a), frechetDistance(engine, a, b), 1e-9 * distance, `${file}, exchanged`);
  }
});

interface GridCase {
  n: [number, number];
  width: number;
  slow: boolean;
  distance: number;
}

t.test('agrees with SciPy to 1e-6 from 2 rows to 20,000 and from 2 columns to 2,048', async (t) => {
  const engine = await startEngine();
  const cases = JSON.parse(await readFile(fixture('metrics/frechet-grid.json'), 'utf8')) as GridCase[];
  for (const { n, width, slow, distance } of cases) {
    if (slow && !process.env.BIGBIGAN_SLOW_TESTS) continue;
    const a = await statistics(formulaRows(1, n[0], width), width);
    const b = await statistics(formulaRows(2, n[1], width), width);
    close(t, frechetDistance(engine, a, b), distance, 1e-6 * distance, `${n} rows of ${width}`);
  }
});

t.test('the order of the rows does not matter', async (t) => {
  const engine = await startEngine();
  const [n, width] = [2100, 24];
  const rows = formulaRows(1, n, width);
  const reversed = Float32Array.from(rows, (_, i) => rows[(n - 1 - Math.floor(i / width)) * width + (i % width)]);
  const other = await statistics(formulaRows(2, 50, width), width);
  const distance = frechetDistance(engine, await statistics(rows, width), other);
  close(t, frechetDistance(engine, await statistics(reversed, width), other), distance, 1e-9 * distance, 'reversed');
  close(
    t,
    frechetDistance(engine, await statistics(rows, width), await statistics(reversed, width)),
    0,
    1e-9,
    'set and reversed set',
  );
});

t.test('a set has no distance from itself', async (t) => {
  const engine = await startEngine();
  for (const file of ['frechet-0.npz', 'frechet-2.npz', 'frechet-3.npz', 'frechet-4.npz']) {
    const [a, b] = await pair(file);
    close(t, frechetDistance(engine, a, a), 0, 1e-9, `${file} x`);
    close(t, frechetDistance(engine, b, b), 0, 1e-9, `${file} y`);
  }
});

t.test('the two-dimensional pair of rank 1: 980 / 11', async (t) => {
  const rows = (value: number, two: (row: number) => boolean) =>
    Float32Array.from({ length: 200 }, (_, i) => (i % 2 === 0 && two(i >> 1) ? 2 : value));
  const real = await statistics(
    rows(1, (row) => row < 50),
    2,
  );
  const fake = await statistics(
    rows(9, (row) => row >= 50),
    2,
  );
  close(t, frechetDistance(await startEngine(), real, fake), 980 / 11, 1e-9, 'distance');
});

t.test('equal covariances leave the squared distance of the means', async (t) => {
  const [a] = await pair('frechet-2.npz');
  const moved = { ...a, mean: a.mean.map((value, j) => value + (j % 3)) };
  const wanted = a.mean.reduce((sum, _, j) => sum + (j % 3) ** 2, 0);
  close(t, frechetDistance(await startEngine(), a, moved), wanted, 1e-9, 'distance');
});

t.test('diagonal covariances have the closed form Σ(√a - √b)²', async (t) => {
  const a = diagonal([0, 1, 2], [4, 0, 9]);
  const b = diagonal([0, 1, 4], [1, 25, 9]);
  close(t, frechetDistance(await startEngine(), a, b), 4 + 1 + 25, 1e-12, 'distance');
});

t.test('covariances of zero are points', async (t) => {
  const engine = await startEngine();
  close(t, frechetDistance(engine, diagonal([0, 0], [0, 0]), diagonal([3, 4], [0, 0])), 25, 0, 'two points');
  close(t, frechetDistance(engine, diagonal([0, 0], [0, 0]), diagonal([3, 4], [1, 2])), 28, 1e-12, 'point and cloud');
});

t.test('a covariance u·uᵀ of rank 1 shares √(uᵀ·S·u) with any S', async (t) => {
  const width = 40;
  const mean = new Float64Array(width);
  const u = Float64Array.from({ length: width }, (_, i) => Math.cos(3 * i) + 0.2);
  const line = Float64Array.from({ length: width * width }, (_, at) => u[Math.floor(at / width)] * u[at % width]);
  const full = Float64Array.from(
    { length: width * width },
    (_, at) => 0.5 ** Math.abs(Math.floor(at / width) - (at % width)),
  );
  let shared = 0;
  for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) shared += u[i] * full[i * width + j] * u[j];
  const wanted = u.reduce((sum, value) => sum + value * value, 0) + width - 2 * Math.sqrt(shared);
  const [a, b] = [
    { mean, covariance: line },
    { mean, covariance: full },
  ];
  close(t, frechetDistance(await startEngine(), a, b), wanted, 1e-9, 'distance');
});

t.test('what is no covariance has no distance', async (t) => {
  const engine = await startEngine();
  const mean = new Float64Array(3);
  const indefinite = { mean, covariance: Float64Array.of(1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1) };
  t.throws(
    () => frechetDistance(engine, diagonal([0, 0, 0], [1, 1, 1]), indefinite),
    /positive semidefinite matrix for a covariance/,
  );
  const endless = { mean, covariance: new Float64Array(9).fill(Infinity) };
  t.notOk(Number.isFinite(frechetDistance(engine, endless, endless)));
});
