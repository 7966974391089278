import { readFileSync } from 'node:fs';
import t from 'tap';
import { startEngine } from '../../../../src/core/backend/engine.js';
import { integerRandom } from '../../../../src/core/data/random.js';
import { readNpy } from '../../../../src/core/formats/npy/npy.js';
import type { NeighbourMetric } from '../../../../src/core/metrics/neighbours/nearness.js';
import { createNeighbourSearch, findNeighbours } from '../../../../src/core/metrics/neighbours/neighbours.js';
import { rowsOf } from '../../../../src/core/metrics/rows.js';
import { fixture } from '../../../paths.js';

function noise(length: number, seed: number): Float32Array {
  const random = integerRandom(seed, 0);
  return Float32Array.from({ length }, () => random.next() / 2 ** 32 - 0.3);
}

async function search(
  base: Float32Array,
  queries: Float32Array,
  width: number,
  k: number,
  { metric = 'l2' as NeighbourMetric, normalise = true, chunk = Infinity } = {},
): Promise<number[]> {
  const found = createNeighbourSearch(await startEngine(), { queries, width, k, metric, normalise });
  const rows = base.length / width;
  for (let first = 0; first < rows; first += chunk) {
    const count = Math.min(chunk, rows - first);
    found.add(base.slice(first * width, (first + count) * width), count);
  }
  const result = Array.from(found.result());
  found.dispose();
  return result;
}

/** Every distance in double precision, then a stable sort. */
function bruteForce(
  base: Float32Array,
  queries: Float32Array,
  width: number,
  k: number,
  metric: NeighbourMetric,
  normalise: boolean,
) {
  const power = metric === 'l1' ? 1 : 2;
  const vectors = (rows: Float32Array) =>
    Array.from({ length: rows.length / width }, (_, i) => {
      const row = Array.from(rows.subarray(i * width, (i + 1) * width));
      const norm = row.reduce((sum, value) => sum + Math.abs(value) ** power, 0) ** (1 / power);
      return normalise ? row.map((value) => value / norm) : row;
    });
  const bases = vectors(base);
  return vectors(queries).flatMap((query) =>
    bases
      .map((row, index) => ({
        index,
        distance: row.reduce((sum, value, j) => sum + Math.abs(value - query[j]) ** power, 0),
      }))
      .sort((a, b) => a.distance - b.distance || a.index - b.index)
      .slice(0, k)
      .map(({ index }) => index),
  );
}

t.test('finds what brute force finds, in every metric', async (t) => {
  const [base, queries] = [noise(500 * 24, 1), noise(37 * 24, 2)];
  for (const metric of ['l1', 'l2', 'cosine'] as const) {
    for (const normalise of metric === 'cosine' ? [true] : [true, false]) {
      const got = await search(base, queries, 24, 9, { metric, normalise });
      t.same(got, bruteForce(base, queries, 24, 9, metric, normalise), `${metric}, normalised: ${normalise}`);
    }
  }
});

t.test('a base that is read in chunks by itself', async (t) => {
  const [base, queries] = [noise(70_000 * 2, 14), noise(3 * 2, 15)];
  const seen: number[] = [];
  const settings = { queries, width: 2, k: 5, metric: 'l2', normalise: false } as const;
  const { rows } = await findNeighbours(await startEngine(), rowsOf(base, 2), settings, (done) => seen.push(done));
  t.same([...rows], bruteForce(base, queries, 2, 5, 'l2', false));
  t.equal(seen.at(-1), 70_000);
  t.ok(seen.length > 1);
});

t.test('the size of the chunks does not matter, even when it is below k', async (t) => {
  const [base, queries] = [noise(300 * 8, 3), noise(20 * 8, 4)];
  const wanted = bruteForce(base, queries, 8, 12, 'l2', true);
  for (const chunk of [1, 7, 128, 300])
    t.same(await search(base, queries, 8, 12, { chunk }), wanted, `chunks of ${chunk}`);
});

t.test('more queries than are compared at once', async (t) => {
  const [base, queries] = [noise(50 * 4, 5), noise(2100 * 4, 6)];
  t.same(await search(base, queries, 4, 2), bruteForce(base, queries, 4, 2, 'l2', true));
});

t.test('vectors so wide that L1 takes its base in many tiles', async (t) => {
  const [base, queries] = [noise(70 * 5000, 7), noise(11 * 5000, 8)];
  t.same(await search(base, queries, 5000, 3, { metric: 'l1' }), bruteForce(base, queries, 5000, 3, 'l1', true));
});

t.test('of equally near rows the lower number comes first, also across chunks', async (t) => {
  const base = Float32Array.from([0, 1, 1, 0, 1, 0, 0, 1, 1, 0]);
  const query = Float32Array.from([1, 0]);
  for (const metric of ['l1', 'l2', 'cosine'] as const) {
    for (const chunk of [1, 2, 5]) t.same(await search(base, query, 2, 4, { metric, chunk }), [1, 2, 4, 0]);
  }
});

t.test('a row of zeros has no direction and is an answer all the same', async (t) => {
  t.same(await search(Float32Array.from([0, 0, 3, 4]), Float32Array.from([6, 8]), 2, 2), [1, 0]);
});

t.test("distances and neighbours are SciPy's", async (t) => {
  const golden = JSON.parse(readFileSync(fixture('metrics/knn.json'), 'utf8')) as Record<
    string,
    { indices: number[][]; distances: number[][] }
  >;
  const read = async (name: string) => (await readNpy(fixture(`metrics/knn/${name}/avepool.npy`))).data as Float32Array;
  const [base, queries] = [await read('train'), (await read('test')).slice(0, 5 * 12)];
  for (const metric of ['l1', 'l2', 'cosine'] as const) {
    const found = createNeighbourSearch(await startEngine(), { queries, width: 12, k: 4, metric, normalise: true });
    found.add(base.slice(0, 250 * 12), 250);
    found.add(base.slice(250 * 12), 150);
    const wanted = golden[`neighbours-${metric}`];
    t.same([...found.result()], wanted.indices.flat(), metric);
    wanted.distances
      .flat()
      .forEach((value, i) => t.ok(Math.abs(found.distances()[i] - value) < 1e-12, `${metric} ${i}`));
    found.dispose();
  }
});

t.test('float32 alone would not tell: rows closer together than its rounding, far from the origin', async (t) => {
  const width = 64;
  const queries = noise(3 * width, 9).map((value) => value + 1000);
  const base = Float32Array.from({ length: 400 * width }, (_, i) => queries[i % width] + ((i * 7919) % 101) / 1600);
  const got = await search(base, queries, width, 10, { normalise: false, chunk: 150 });
  t.same(got, bruteForce(base, queries, width, 10, 'l2', false));
});

t.test('vectors of norms far below 1 are as exact as others once they are normalised', async (t) => {
  const width = 64;
  const [directions, shifts] = [noise(width, 10), noise(600 * width, 11)];
  const base = Float32Array.from({ length: 600 * width }, (_, i) => (directions[i % width] + shifts[i] * 1e-5) * 1e-3);
  for (const metric of ['l1', 'l2'] as const) {
    t.same(
      await search(base, base.slice(0, 9 * width), width, 20, { metric }),
      bruteForce(base, base.slice(0, 9 * width), width, 20, metric, true),
      metric,
    );
  }
});

t.test('a row of zeros among others, normalised and not, and rows of very different norms', async (t) => {
  const base = noise(400 * 8, 12).map((value, i) => value * (Math.floor(i / 8) % 5) ** 4);
  const queries = noise(6 * 8, 13);
  const zeros = (row: number) => row % 5 === 0;
  t.same(await search(base, queries, 8, 150, { normalise: false }), bruteForce(base, queries, 8, 150, 'l2', false));
  for (const metric of ['l2', 'cosine'] as const) {
    const found = await search(base, queries, 8, 400, { metric });
    // All rows of zeros are at distance 1 of any query, in their order, nearer than what points away from it.
    for (let query = 0; query < 6; query++) {
      const rows = found.slice(query * 400, (query + 1) * 400);
      const at = rows.findIndex(zeros);
      t.same(
        rows.slice(at, at + 80),
        Array.from({ length: 80 }, (_, n) => n * 5),
        metric,
      );
    }
  }
});

t.test('more equally near rows than are collected at once', async (t) => {
  const base = new Float32Array(5000 * 4).fill(1);
  base.set([1, 1, 1, 1.5], 4800 * 4);
  const found = await search(base, Float32Array.from([1, 1, 1, 2, 1, 1, 1, 1]), 4, 3);
  t.same(found, [4800, 0, 1, 0, 1, 2]);
});

t.test('nothing stays behind in the engine', async (t) => {
  const engine = await startEngine();
  const before = engine.alive();
  for (const metric of ['l1', 'l2'] as const) await search(noise(40, 1), noise(8, 2), 4, 3, { metric, chunk: 3 });
  t.equal(engine.alive(), before);
});
