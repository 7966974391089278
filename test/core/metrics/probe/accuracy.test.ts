import t from 'tap';
import { addScores, noAccuracy } from '../../../../src/core/metrics/probe/accuracy.js';

t.test('top-1, top-5 and cross-entropy', async (t) => {
  const total = noAccuracy();
  const scores = Float32Array.of(9, 1, 2, 3, 4, 5, /**/ 0, 1, 2, 3, 4, 5, /**/ 5, 4, 3, 2, 1, 0);
  addScores([total], scores, Int32Array.of(0, 1, 5), 6);
  const loss = (own: number, row: number[]) => Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - own;
  t.match(total, { rows: 3, top1: 1, top5: 2 });
  const wanted = loss(9, [9, 1, 2, 3, 4, 5]) + 2 * 0 + loss(1, [0, 1, 2, 3, 4, 5]) + loss(0, [5, 4, 3, 2, 1, 0]);
  t.ok(Math.abs(total.loss - wanted) < 1e-9);
});

t.test('heads are counted apart', async (t) => {
  const totals = [noAccuracy(), noAccuracy()];
  addScores(totals, Float32Array.of(1, 0, 0, 1, /**/ 1, 0, 1, 0), Int32Array.of(0, 0), 2);
  t.same(
    totals.map(({ top1 }) => top1),
    [2, 1],
  );
});

t.test('ties, missing numbers and unknown classes are no successes', async (t) => {
  const total = noAccuracy();
  addScores([total], Float32Array.of(1, 1, /**/ NaN, NaN, /**/ 1, 0), Int32Array.of(0, 1, -1), 2);
  t.match(total, { rows: 3, top1: 0 });
});
