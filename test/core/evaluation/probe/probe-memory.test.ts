import t from 'tap';
import { checkLbfgsMemory, checkMemory } from '../../../../src/core/evaluation/probe/probe-memory.js';

const GB = 1e9;
const rows = {
  rows: 5000,
  width: 8192,
  labels: Int32Array.from({ length: 5000 }, (_, i) => i % 1000),
  read: async () => new Float32Array(0),
};
const grid = { learningRates: [1, 2, 3, 4, 5, 6, 7, 8], penalties: [0, 1, 2, 3, 4], batchSize: 256, average: 0 };

t.test('a grid that fits passes, one that does not is refused with its figures', async (t) => {
  // 40 × 1000 × 8192 weights are 1.31 GB; Adam's moments make it 3.9 GB before a step is computed.
  t.doesNotThrow(() => checkMemory(grid, rows, 20 * GB));
  t.throws(() => checkMemory(grid, rows, 10 * GB), {
    name: 'UserError',
    message:
      /^training 40 classifiers \(8 learning rates × 5 penalties\) of 1000 classes and 8192 features takes about 1\d\.\d GB of memory, and 10\.0 GB are free$/,
    hint: /^at most 2\d of them fit: give fewer --learning-rates or --penalties/,
  });
});

t.test('as many as the hint says do fit', async (t) => {
  for (const free of [2, 5, 9].map((n) => n * GB)) {
    let hint = '';
    try {
      checkMemory(grid, rows, free);
    } catch (error) {
      hint = (error as { hint: string }).hint;
    }
    const fitting = Number(/at most (\d+)/.exec(hint)![1]);
    const first = (count: number) => ({
      ...grid,
      penalties: [1],
      learningRates: Array.from({ length: count }, (_, i) => i + 1),
    });
    t.doesNotThrow(() => checkMemory(first(fitting), rows, free));
    t.throws(() => checkMemory(first(fitting + 1), rows, free));
  }
  t.throws(() => checkMemory(grid, rows, 1e8), { name: 'UserError', hint: /not even one fits/ });
});

t.test('averages take more, no penalties less', async (t) => {
  t.throws(() => checkMemory({ ...grid, average: 0.9 }, rows, 16 * GB));
  t.doesNotThrow(() => checkMemory({ ...grid, penalties: [0, 0, 0, 0, 0] }, rows, 12 * GB));
});

t.test('L-BFGS holds vectors of all weights, and no features that are larger than what it keeps', async (t) => {
  // 1000 × 8193 weights in 20 vectors of single precision alone are 0.66 GB.
  t.doesNotThrow(() => checkLbfgsMemory(rows, 4 * GB));
  t.throws(() => checkLbfgsMemory(rows, 1 * GB), {
    name: 'UserError',
    message: /^L-BFGS on 1000 classes and 8192 features takes about [23]\.\d GB of memory, and 1\.0 GB are free$/,
    hint: /--solver adam/,
  });
  // ImageNet's size, 10.5 GB of features: read in chunks.
  t.doesNotThrow(() => checkLbfgsMemory({ ...rows, rows: 1_281_167, width: 2048 }, 1.5 * GB));
});
