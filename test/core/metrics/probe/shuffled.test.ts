import t from 'tap';
import { shuffledBatches, shuffledRows } from '../../../../src/core/metrics/probe/shuffled.js';

/** Row i is [i, -i]. */
function rows(count: number, reads: number[] = []) {
  const read = async (first: number, n: number) => {
    reads.push(n);
    return Float32Array.from({ length: 2 * n }, (_, i) => (first + (i >> 1)) * (i % 2 ? -1 : 1));
  };
  return { rows: count, width: 2, read };
}

async function take(source: ReturnType<typeof rows>, batches: number, settings: Parameters<typeof shuffledBatches>[1]) {
  const taken: number[][] = [];
  const generator = shuffledBatches(source, settings);
  for (let i = 0; i < batches; i++) {
    const { data, rows: numbers } = (await generator.next()).value;
    numbers.forEach((row, at) => {
      if (data[2 * at] !== row || data[2 * at + 1] !== -row) throw new Error(`row ${row} holds ${data[2 * at]}`);
    });
    taken.push([...numbers]);
  }
  return taken;
}

const all = () => false;

t.test('an epoch has every row once, in an order of its own', async (t) => {
  const taken = await take(rows(1000), 20, { batchSize: 100, seed: 4, skip: all });
  const [first, second] = [taken.slice(0, 10).flat(), taken.slice(10).flat()];
  t.equal(new Set(first).size, 1000);
  t.equal(new Set(second).size, 1000);
  t.notSame(first, second);
  t.ok(Math.max(...first.slice(0, 100)) > 800, 'far rows meet in one batch');
});

t.test('the seed decides', async (t) => {
  const settings = { batchSize: 50, seed: 1, skip: all };
  t.same(await take(rows(300), 4, settings), await take(rows(300), 4, settings));
  t.notSame(await take(rows(300), 4, { ...settings, seed: 2 }), await take(rows(300), 4, settings));
});

t.test('skipped rows never come', async (t) => {
  const taken = (await take(rows(700), 10, { batchSize: 70, seed: 0, skip: (row) => row % 5 === 0 })).flat();
  t.notOk(taken.some((row) => row % 5 === 0));
  t.equal(new Set(taken).size, 560);
});

t.test('rows that do not fit in memory are read block by block, and an epoch is still complete', async (t) => {
  const reads: number[] = [];
  const taken = await take(rows(4096, reads), 64, { batchSize: 64, seed: 0, skip: all, memory: 1024 * 2 });
  t.equal(new Set(taken.flat()).size, 4096);
  t.equal(Math.max(...reads), 32);
  const spread = Math.max(...taken[0]) - Math.min(...taken[0]);
  t.ok(spread > 1024, 'a batch mixes blocks from far apart');
});

t.test('what fits in memory is read once', async (t) => {
  const reads: number[] = [];
  await take(rows(512, reads), 50, { batchSize: 128, seed: 0, skip: all });
  t.same(reads, new Array(16).fill(32));
});

t.test('a batch larger than all rows is all rows', async (t) => {
  const taken = await take(rows(5), 2, { batchSize: 64, seed: 0, skip: all });
  t.same(
    taken.map((batch) => batch.length),
    [5, 5],
  );
});

t.test('the order alone is that of rows in memory', async (t) => {
  const settings = { batchSize: 70, seed: 9, skip: (row: number) => row % 5 === 0 };
  const order = shuffledRows(700, settings);
  t.same(
    await take(rows(700), 20, settings),
    Array.from({ length: 20 }, () => [...order.next().value]),
  );
});
