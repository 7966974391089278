import t from 'tap';
import { integerRandom } from '../../../../src/core/data/random.js';
import {
  type Four,
  fours,
  products,
  squareDifferences,
  squareSums,
} from '../../../../src/core/metrics/neighbours/four-rows.js';

const width = 37;
const random = integerRandom(2, 0);
const rows = Float32Array.from({ length: 6 * width }, () => random.next() / 2 ** 32 - 0.5);
const x = Float64Array.from({ length: width }, () => random.next() / 2 ** 32);
const sum = (row: number, term: (y: number, j: number) => number) =>
  rows.subarray(row * width, (row + 1) * width).reduce((total, y, j) => total + term(y, j), 0);

t.test('each sum has the bits that it has alone', async (t) => {
  const numbers = [4, 0, 5, 2];
  const at = numbers.map((row) => row * width) as unknown as Four;
  const factors = [0.3, 1, 1 / 3, 7] as const;
  t.same(
    products(x, rows, at),
    numbers.map((row) => sum(row, (y, j) => x[j] * y)),
  );
  t.same(
    squareDifferences(x, rows, at, factors),
    numbers.map((row, n) => sum(row, (y, j) => (x[j] - y * factors[n]) ** 2)),
  );
  t.same(
    [...squareSums(rows, width)],
    [0, 1, 2, 3, 4, 5].map((row) => sum(row, (y) => y * y)),
  );
});

t.test('numbers in fours', async (t) => {
  t.same(
    [...fours(6)],
    [
      [0, 1, 2, 3],
      [4, 5, 5, 5],
    ],
  );
  t.same([...fours(0)], []);
});
