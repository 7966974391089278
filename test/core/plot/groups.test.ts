import t from 'tap';
import { groupRuns, meanCurve } from '../../../src/core/plot/groups.js';
import type { RunCurves } from '../../../src/core/plot/run-curves.js';
import { smoothed } from '../../../src/core/plot/smooth.js';

function run(
  path: string,
  seed: number | undefined,
  settings: string | undefined,
  curves: Record<string, [number, number][]> = {},
): RunCurves {
  const entries = Object.entries(curves).map(([key, points]) => {
    return [key, { steps: points.map(([step]) => step), values: points.map(([, value]) => value) }] as const;
  });
  return { path, seed, settings, curves: new Map(entries), evaluated: new Set() };
}

const described = (runs: RunCurves[], separate = false) =>
  groupRuns(runs, separate).map(({ label, runs }) => [label, runs.map(({ path }) => path)]);

t.test('runs that differ only in their seed are one group', async (t) => {
  const runs = [
    run('r/base-seed0/run', 0, 'A'),
    run('r/wide-seed0/run', 0, 'B'),
    run('r/base-seed1/run', 1, 'A'),
    run('r/wide-seed2/run', 2, 'B'),
  ];
  t.same(described(runs), [
    ['base (2 seeds)', ['r/base-seed0/run', 'r/base-seed1/run']],
    ['wide (2 seeds)', ['r/wide-seed0/run', 'r/wide-seed2/run']],
  ]);
  t.same(
    described(runs, true).map(([label]) => label),
    ['base-seed0', 'wide-seed0', 'base-seed1', 'wide-seed2'],
  );
});

t.test('a seed twice is another group, and so is a run without settings', async (t) => {
  t.same(described([run('a', 0, 'A'), run('b', 0, 'A'), run('c', 1, 'A')]), [
    ['a (2 seeds)', ['a', 'c']],
    ['b', ['b']],
  ]);
  t.same(described([run('a', undefined, undefined), run('b', undefined, undefined)]).length, 2);
});

t.test('names', async (t) => {
  const names = (...paths: string[]) => described(paths.map((path, i) => run(path, i, 'A')))[0][0];
  t.equal(names('runs/digits/'), 'digits');
  t.equal(names('runs/digits/0', 'runs/digits/1'), '0 (2 seeds)', 'the shared folders say nothing');
  t.equal(names('x/m-s0', 'x/m-s1'), 'm (2 seeds)');
  t.equal(names('x/m_10', 'x/m_11', 'x/m_12'), 'm (3 seeds)');
  t.same(
    described([run('a/b', 0, 'A'), run('a/b', 0, 'B')]).map(([label]) => label),
    ['b', 'b'],
  );
});

t.test('mean and sample standard deviation at the steps that all have', async (t) => {
  const runs = [
    run('a', 0, 'A', {
      loss: [
        [10, 1],
        [20, 2],
        [30, 4],
      ],
      other: [[10, 5]],
    }),
    run('b', 1, 'A', {
      loss: [
        [10, 2],
        [20, 2.5],
        [40, 4],
      ],
    }),
    run('c', 2, 'A', {
      loss: [
        [10, 4.5],
        [15, 7],
        [20, 6],
      ],
    }),
  ];
  const [group] = groupRuns(runs, false);
  const found = meanCurve(group, 'loss', { x: 'step' })!;
  t.same(found.steps, [10, 20]);
  t.same(found.x, [10, 20]);
  // numpy.mean, and numpy.std with ddof=1.
  t.same(found.mean, [2.5, 3.5]);
  t.same(
    found.deviation!.map((value) => value.toFixed(12)),
    ['1.802775637732', '2.179449471770'],
  );
  t.equal(found.runs, 3);
  const alone = meanCurve(group, 'other', { x: 'step' })!;
  t.same([alone.mean, alone.deviation, alone.runs], [[5], undefined, 1]);
  t.equal(meanCurve(group, 'none', { x: 'step' }), undefined);
});

t.test('runs without a step in common', async (t) => {
  const [group] = groupRuns([run('a', 0, 'A', { loss: [[10, 1]] }), run('b', 1, 'A', { loss: [[11, 1]] })], false);
  t.throws(() => meanCurve(group, 'loss', { x: 'step' }), {
    message: 'a and b have no step in common for loss',
    hint: /--separate/,
  });
});

t.test("TensorBoard's smoothing", async (t) => {
  // A mean with weights that fall by half with every step back.
  const values = [4, 2, 8, -3];
  const found = smoothed({ steps: [1, 2, 3, 4], values }, 0.5).values;
  const expected = values.map((_, n) => {
    const weights = values.slice(0, n + 1).map((_, i) => 0.5 ** (n - i));
    const total = weights.reduce((a, b) => a + b);
    return weights.reduce((sum, weight, i) => sum + weight * values[i], 0) / total;
  });
  found.forEach((value, i) => t.ok(Math.abs(value - expected[i]) < 1e-12, `${value} ${expected[i]}`));
  t.same(
    smoothed({ steps: [1, 2], values: [3, 3] }, 0.99).values.map((value) => value.toFixed(9)),
    ['3.000000000', '3.000000000'],
  );
});
