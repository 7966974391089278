import { readFileSync } from 'node:fs';
import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { kernelDistance, kidSubset, polynomialMmd } from '../../../src/core/metrics/kid.js';
import { gather, rowsOf } from '../../../src/core/metrics/rows.js';
import { fixture } from '../../paths.js';
import { formulaRows } from './formula.js';

const cases = (
  JSON.parse(readFileSync(fixture('metrics/scores.json'), 'utf8')) as {
    kid: Array<{ n: number; width: number; mmd: number }>;
  }
).kid;

t.test("agrees with scikit-learn's kernel", async (t) => {
  const engine = await startEngine();
  for (const { n, width, mmd } of cases) {
    const found = polynomialMmd(engine, formulaRows(1, n, width), formulaRows(2, n, width), n, width);
    t.ok(Math.abs(found - mmd) < 1e-9 * Math.max(1, mmd), `${n} rows of ${width}: ${found} against ${mmd}`);
  }
});

t.test('mean and deviation are those of the subsets, which the seed decides', async (t) => {
  const engine = await startEngine();
  const width = 8;
  const [a, b] = [rowsOf(formulaRows(1, 90, width), width), rowsOf(formulaRows(2, 70, width), width)];
  const settings = { subsets: 5, subsetSize: 40, seed: 3 };
  const values: number[] = [];
  for (let i = 0; i < 5; i++) {
    const [x, y] = [await gather(a, kidSubset(90, 40, 3, i, 0)), await gather(b, kidSubset(70, 40, 3, i, 1))];
    values.push(polynomialMmd(engine, x, y, 40, width));
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / 5;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 5);
  const kid = await kernelDistance(engine, a, b, settings);
  t.ok(
    Math.abs(kid.mean - mean) < 1e-12 && Math.abs(kid.std - std) < 1e-12 && std > 0,
    JSON.stringify({ kid, mean, std }),
  );
  t.same(await kernelDistance(engine, a, b, settings), kid);
  t.not((await kernelDistance(engine, a, b, { ...settings, seed: 4 })).mean, kid.mean);
  const subset = kidSubset(90, 40, 3, 0, 0);
  t.equal(new Set(subset).size, 40);
  t.ok(subset.every((row) => row < 90));
});

t.test('a subset that is larger than a set is refused with both numbers', async (t) => {
  const engine = await startEngine();
  const rows = rowsOf(formulaRows(1, 30, 2), 2);
  const settings = { subsets: 1, subsetSize: 1000, seed: 0 };
  await t.rejects(
    kernelDistance(engine, rows, rows, settings),
    /1000 rows or more, the size of a subset, for KID of a set, got 30/,
  );
});
