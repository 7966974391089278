import { readFileSync } from 'node:fs';
import t from 'tap';
import { startEngine } from '../../../../src/core/backend/engine.js';
import { precisionRecall } from '../../../../src/core/metrics/neighbours/precision-recall.js';
import { rowsOf } from '../../../../src/core/metrics/rows.js';
import { fixture } from '../../../paths.js';
import { formulaRows } from '../formula.js';

interface Case {
  n: [number, number];
  width: number;
  k: number;
  copies: number;
  precision: number;
  recall: number;
}
const cases = (JSON.parse(readFileSync(fixture('metrics/scores.json'), 'utf8')) as { precision_recall: Case[] })
  .precision_recall;

function set(seed: number, n: number, width: number, copies: number) {
  const rows = formulaRows(seed, n, width);
  const all = new Float32Array(copies * rows.length);
  for (let i = 0; i < copies; i++) all.set(rows, i * rows.length);
  return rowsOf(all, width);
}

t.test("exactly SciPy's answers, across blocks and with rows that occur more than k times", async (t) => {
  const engine = await startEngine();
  for (const { n, width, k, copies, precision, recall } of cases) {
    const found = await precisionRecall(engine, set(1, n[0], width, copies), set(2, n[1], width, copies), k);
    t.same(found, { precision, recall }, `${n} rows of ${width}`);
  }
});

t.test('a set covers itself; too few rows are refused', async (t) => {
  const engine = await startEngine();
  const rows = set(1, 50, 3, 1);
  t.same(await precisionRecall(engine, rows, rows, 3), { precision: 1, recall: 1 });
  const few = set(1, 3, 3, 1);
  await t.rejects(precisionRecall(engine, rows, few, 3), /more than the 3 rows.* got 3/);
});
