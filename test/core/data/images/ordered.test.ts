import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { mapOrdered } from '../../../../src/core/data/images/ordered.js';

t.test('results in order, never more at once than allowed', async (t) => {
  let running = 0;
  let most = 0;
  const results: number[] = [];
  const work = async (n: number) => {
    most = Math.max(most, ++running);
    await setTimeout((n * 7) % 5);
    running--;
    return n * n;
  };
  for await (const result of mapOrdered(
    Array.from({ length: 20 }, (_, i) => i),
    3,
    work,
  ))
    results.push(result);
  t.same(
    results,
    Array.from({ length: 20 }, (_, i) => i * i),
  );
  t.equal(most, 3);
});

t.test('a failure surfaces once, and the rest ends', async (t) => {
  const work = async (n: number) => {
    await setTimeout(n === 2 ? 1 : 3);
    if (n >= 2) throw new Error(`item ${n}`);
    return n;
  };
  const seen: number[] = [];
  await t.rejects(
    async () => {
      for await (const n of mapOrdered([0, 1, 2, 3, 4], 4, work)) seen.push(n);
    },
    { message: 'item 2' },
  );
  t.same(seen, [0, 1]);
});
