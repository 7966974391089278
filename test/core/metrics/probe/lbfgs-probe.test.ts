import { readFileSync } from 'node:fs';
import t from 'tap';
import { startEngine } from '../../../../src/core/backend/engine.js';
import { addConfusion } from '../../../../src/core/metrics/probe/classifier.js';
import {
  type LbfgsProbeSettings,
  type LbfgsProbeState,
  lbfgsProbe,
} from '../../../../src/core/metrics/probe/lbfgs-probe.js';
import { fixture } from '../../../paths.js';
import { mnist, small } from './rows.js';

interface Golden {
  penalty: number;
  top1: number;
  objective: number;
  weight: number[][];
}

const golden = JSON.parse(readFileSync(fixture('metrics/probe.json'), 'utf8')) as Record<'small' | 'mnist', Golden>;

async function probe(settings: Partial<LbfgsProbeSettings> = {}) {
  const [train, test] = [await small('train'), await small('test')];
  const defaults = { train, test, penalties: [0.01], holdout: 0, seed: 0, iterations: 500, tolerance: 1e-6 };
  return lbfgsProbe(await startEngine(), { ...defaults, ...settings });
}

t.test("scikit-learn's optimum: objective, weights, accuracy", async (t) => {
  const { weight, top1, objective } = golden.small;
  const { final, classifier, test } = await probe();
  t.ok(Math.abs(final.objective - objective) < 1e-6, `${final.objective} and ${objective}`);
  weight.forEach((row, j) => row.forEach((value, c) => t.ok(Math.abs(classifier.weight[j * 7 + c] - value) < 1e-3)));
  t.equal(test.top1 / test.rows, top1);
});

t.test("MNIST's pixels: scikit-learn's objective to 1e-5, its accuracy to 0.1 points", async (t) => {
  const [train, test] = [await mnist('train', 3000), await mnist('t10k', 2000)];
  const result = await probe({ train, test, penalties: [golden.mnist.penalty], tolerance: 1e-5 });
  t.ok(Math.abs(result.final.objective - golden.mnist.objective) < 1e-5, `${result.final.objective}`);
  t.ok(Math.abs(result.test.top1 / result.test.rows - golden.mnist.top1) <= 0.001);
});

t.test('features that are not kept in memory give the same', async (t) => {
  const [kept, read] = [await probe(), await probe({ memory: 0 })];
  t.same(read.classifier, kept.classifier);
});

t.test('the penalty with the lowest loss on held-out rows is solved anew on all rows', async (t) => {
  const result = await probe({ penalties: [1e-6, 3, 0.01], holdout: 100 });
  t.same(
    result.heads.map(({ penalty }) => penalty),
    [3, 0.01, 1e-6],
  );
  const losses = result.heads.map(({ heldout }) => heldout!.loss);
  t.equal(result.best, losses.indexOf(Math.min(...losses)));
  t.equal(result.heads[0].heldout!.rows, 100);
  const alone = await probe({ penalties: [result.final.penalty] });
  t.ok(Math.abs(alone.final.objective - result.final.objective) < 1e-6);
});

t.test('no chance is involved, and a kept state leads to the same classifier', async (t) => {
  const states: LbfgsProbeState[] = [];
  const settings = { penalties: [1, 0.01], holdout: 50 };
  const whole = await probe({
    ...settings,
    onIteration: ({ solved, lbfgs }) =>
      void states.push({
        solved: [...solved],
        lbfgs: { ...lbfgs, steps: [...lbfgs.steps], changes: [...lbfgs.changes] },
      }),
  });
  t.same((await probe(settings)).classifier, whole.classifier);
  t.same(new Set(states.map(({ solved }) => solved.length)), new Set([0, 1, 2]));
  for (const state of [states[3], states.at(-2)!])
    t.same((await probe({ ...settings, resume: state })).classifier, whole.classifier);
});

t.test('the confusion counts every row once, and its diagonal is the accuracy', async (t) => {
  const { confusion, test } = await probe();
  t.equal(
    confusion.reduce((sum, count) => sum + count, 0),
    90,
  );
  t.equal(
    Array.from({ length: 7 }, (_, i) => confusion[i * 8]).reduce((a, b) => a + b),
    test.top1,
  );
});

t.test('a tie counts against the row, in the confusion as in the accuracy', async (t) => {
  const confusion = new Uint32Array(9);
  addConfusion(confusion, Float32Array.of(1, 1, 0, /**/ 0, 2, 1, /**/ 5, 5, 5), Int32Array.of(0, 1, -1), 3);
  t.same([...confusion], [0, 1, 0, 0, 1, 0, 0, 0, 0]);
});

t.test('nothing stays behind in the engine', async (t) => {
  const engine = await startEngine();
  const before = engine.alive();
  await probe({ iterations: 3, penalties: [1, 0.1], holdout: 20 });
  t.equal(engine.alive(), before);
});
