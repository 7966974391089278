import t from 'tap';
import { affine, bnCrelu, chunks, columnMoments, standardisation } from '../../../src/core/metrics/rows.js';

function source(count: number, width: number, value: (row: number, column: number) => number) {
  const read = async (first: number, n: number) =>
    Float32Array.from({ length: n * width }, (_, i) => value(first + Math.floor(i / width), i % width));
  return { rows: count, width, read };
}

t.test('chunks cover all rows in order', async (t) => {
  const seen: number[] = [];
  for await (const { first, count, data } of chunks(source(20_000, 1, (row) => row))) {
    t.equal(first, seen.length);
    t.equal(data.length, count);
    seen.push(...data);
  }
  t.same(
    seen,
    Array.from({ length: 20_000 }, (_, i) => i),
  );
});

t.test('mean and variance of columns, across chunks and beside a large mean', async (t) => {
  const { mean, variance } = await columnMoments(
    source(10_000, 2, (row, column) => (column ? 1e6 + (row % 4) : row % 2)),
  );
  t.ok(Math.abs(mean[0] - 0.5) < 1e-9 && Math.abs(variance[0] - 0.25) < 1e-9);
  t.ok(Math.abs(mean[1] - 1_000_001.5) < 1e-6 && Math.abs(variance[1] - 1.25) < 1e-6);
});

t.test('standardised columns have mean 0 and variance 1; a constant one is 0', async (t) => {
  const rows = source(100, 2, (row, column) => (column ? 7 : row));
  const scaling = standardisation(await columnMoments(rows));
  const { mean, variance } = await columnMoments(affine(rows, scaling));
  t.ok(Math.abs(mean[0]) < 1e-6 && Math.abs(variance[0] - 1) < 1e-6);
  t.same([mean[1], variance[1]], [0, 0]);
});

t.test('BN+CReLU: the positive parts, then the negative ones', async (t) => {
  const rows = source(
    2,
    2,
    (row, column) =>
      [
        [1, 10],
        [3, 30],
      ][row][column],
  );
  const result = bnCrelu(rows, { mean: Float64Array.of(2, 20), factor: Float64Array.of(1, 0.1) });
  t.match(result, { rows: 2, width: 4 });
  t.same(Array.from(await result.read(0, 2)), [0, 0, 1, 1, 1, 1, 0, 0]);
  t.same(Array.from(await result.read(1, 1)), [1, 1, 0, 0]);
});
