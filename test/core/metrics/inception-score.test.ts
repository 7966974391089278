import { readFileSync } from 'node:fs';
import t from 'tap';
import { createInceptionScore } from '../../../src/core/metrics/inception-score.js';
import { fixture } from '../../paths.js';
import { formulaRows } from './formula.js';

interface Case {
  n: number;
  classes: number;
  scale: number;
  splits: number;
  mean: number;
  std: number;
}
const cases = (JSON.parse(readFileSync(fixture('metrics/scores.json'), 'utf8')) as { inception_score: Case[] })
  .inception_score;

function score(logits: Float32Array, n: number, splits: number, size = n) {
  const scorer = createInceptionScore(n, splits);
  const classes = logits.length / n;
  for (let first = 0; first < n; first += size) {
    const count = Math.min(size, n - first);
    scorer.add(logits.subarray(first * classes, (first + count) * classes), count);
  }
  return scorer.result();
}

t.test("agrees with NumPy's answer by the definition, whatever the batches", async (t) => {
  for (const { n, classes, scale, splits, mean, std } of cases) {
    const logits = formulaRows(1, n, classes).map((value) => value * scale);
    for (const size of [n, 1, 64]) {
      const result = score(logits, n, splits, size);
      t.ok(Math.abs(result.mean - mean) < 1e-9 * mean, `${result.mean} against ${mean}`);
      t.ok(Math.abs(result.std - std) < 1e-9, `${result.std} against ${std}`);
    }
  }
});

t.test('1 without a preference, the number of classes for sure and even answers, and the order matters', async (t) => {
  t.same(score(new Float32Array(40), 10, 2), { mean: 1, std: 0 });
  const sure = (label: (i: number) => number) =>
    Float32Array.from({ length: 100 * 5 }, (_, at) => (at % 5 === label(Math.floor(at / 5)) ? 1000 : 0));
  const even = score(
    sure((i) => i % 5),
    100,
    10,
  );
  t.ok(Math.abs(even.mean - 5) < 1e-12, `${even.mean}`);
  const sorted = score(
    sure((i) => Math.floor(i / 20)),
    100,
    10,
  );
  t.ok(Math.abs(sorted.mean - 1) < 1e-12, `${sorted.mean}`);
});

t.test('fewer images than splits are refused', async (t) => {
  t.throws(() => createInceptionScore(9, 10), /10 images or more, one for each split for the Inception Score, got 9/);
});
