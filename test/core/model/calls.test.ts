/** How rows are divided among calls of a network. */
import t from 'tap';
import { callsFor, rowsOf } from '../../../src/core/model/calls.js';

t.test('whole batches, a padded one, or single rows', async (t) => {
  t.same(
    [...callsFor(11, 4)],
    [
      { first: 0, count: 4, size: 4 },
      { first: 4, count: 4, size: 4 },
      { first: 8, count: 3, size: 4 },
    ],
  );
  t.same(
    [...callsFor(9, 8)],
    [
      { first: 0, count: 8, size: 8 },
      { first: 8, count: 1, size: 1 },
    ],
  );
  t.same([...callsFor(0, 8)], []);
});

t.test('every row once, in order, for any count and batch', async (t) => {
  for (const batch of [1, 2, 3, 16]) {
    for (let n = 0; n < 40; n++) {
      const calls = [...callsFor(n, batch)];
      t.same(
        calls.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)),
        Array.from({ length: n }, (_, i) => i),
      );
      t.ok(calls.every(({ count, size }) => count <= size && (size === 1 || size === batch)));
    }
  }
});

t.test('rows of a call are padded with zeros', async (t) => {
  t.same(rowsOf(Float32Array.of(1, 2, 3, 4, 5, 6), { first: 2, count: 1, size: 2 }, 2), Float32Array.of(5, 6, 0, 0));
});
