import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { startEngine } from '../../../../src/core/backend/engine.js';
import { minibatchProbe, type ProbeSettings } from '../../../../src/core/metrics/probe/minibatch-probe.js';
import { fixture } from '../../../paths.js';
import { inMemory, mnist, small } from './rows.js';

interface Golden {
  penalty: number;
  top1: number;
  weight: number[][];
  bias: number[];
}

const golden = JSON.parse(readFileSync(fixture('metrics/probe.json'), 'utf8')) as Record<'small' | 'mnist', Golden>;

async function probe(settings: Partial<ProbeSettings>) {
  const [train, test] = [await small('train'), await small('test')];
  const defaults = {
    train,
    test,
    learningRates: [0.01],
    penalties: [0.01],
    steps: 1500,
    batchSize: 64,
    holdout: 0,
    seed: 0,
  };
  return minibatchProbe(await startEngine(), { ...defaults, ...settings });
}

function close(t: Test, got: number, wanted: number, tolerance: number, what: string) {
  t.ok(Math.abs(got - wanted) <= tolerance, `${what}: ${got} against ${wanted}`);
}

t.test("reaches the optimum that scikit-learn's L-BFGS finds", async (t) => {
  const { weight, bias, top1 } = golden.small;
  // Whole batches leave no noise of sampling, so the answer can be compared number by number.
  const { classifier, test } = await probe({ steps: 3000, batchSize: 400 });
  const [width, classes] = [weight.length, bias.length];
  const mean = classifier.bias.reduce((sum, value) => sum + value, 0) / classes;
  for (let j = 0; j < width; j++) {
    for (let c = 0; c < classes; c++)
      close(t, classifier.weight[j * classes + c], weight[j][c], 1e-3, `weight ${j},${c}`);
  }
  bias.forEach((value, c) => close(t, classifier.bias[c] - mean, value, 1e-3, `bias ${c}`));
  t.equal(test.top1 / test.rows, top1);
});

t.test("MNIST's pixels: within 0.3 points of scikit-learn", async (t) => {
  const [train, test] = [await mnist('train', 3000), await mnist('t10k', 2000)];
  const result = await probe({ train, test, steps: 2000, batchSize: 512, penalties: [golden.mnist.penalty] });
  close(t, result.test.top1 / result.test.rows, golden.mnist.top1, 0.003, 'top-1');
  t.ok(result.test.top5 > result.test.top1);
});

t.test('the classifier is for features as they are', async (t) => {
  const [test, { classifier, test: accuracy }] = [await small('test'), await probe({})];
  const data = await test.read(0, test.rows);
  const classes = classifier.classes.length;
  let right = 0;
  test.labels.forEach((label, row) => {
    const scores = Array.from(classifier.bias, (bias, c) => {
      let score = bias;
      for (let j = 0; j < test.width; j++) score += data[row * test.width + j] * classifier.weight[j * classes + c];
      return score;
    });
    if (classifier.classes[scores.indexOf(Math.max(...scores))] === label) right++;
  });
  t.equal(right, accuracy.top1);
});

t.test('a seed gives the same result, another seed another', async (t) => {
  const settings = { learningRates: [1e-3, 1e-2], penalties: [0, 1e-2], steps: 200, holdout: 40 };
  const [a, b, c] = [await probe(settings), await probe(settings), await probe({ ...settings, seed: 1 })];
  t.same(b, a);
  t.notSame(c.classifier.weight, a.classifier.weight);
});

t.test('heads trained together are what each is alone', async (t) => {
  const together = await probe({ learningRates: [1e-3, 1e-2], penalties: [0, 0.1], steps: 200, holdout: 40 });
  t.same(
    together.heads.map(({ learningRate, penalty }) => [learningRate, penalty]),
    [
      [1e-3, 0],
      [1e-3, 0.1],
      [1e-2, 0],
      [1e-2, 0.1],
    ],
  );
  for (const { learningRate, penalty, heldout } of together.heads) {
    const alone = await probe({ learningRates: [learningRate], penalties: [penalty], steps: 200, holdout: 40 });
    close(t, alone.heads[0].heldout!.loss, heldout!.loss, 1e-3, `held-out loss for ${learningRate}, ${penalty}`);
    t.equal(heldout!.rows, 40);
  }
});

t.test('the head with the lowest held-out loss is tested, after training on all rows', async (t) => {
  const result = await probe({ learningRates: [1e-6, 1e-2], penalties: [0.01], steps: 300, holdout: 100 });
  t.equal(result.best, 1);
  const chosen = await probe({ learningRates: [1e-2], penalties: [0.01], steps: 300 });
  t.same(result.classifier, chosen.classifier);
  t.same(result.test, chosen.test);
});

t.test('class numbers may have gaps, and the test may have classes of its own', async (t) => {
  const train = await small('train');
  const test = await small('test');
  const gaps = (labels: Int32Array) => labels.map((label) => label * 1000 + 7);
  const plain = await probe({ steps: 100 });
  const gapped = await probe({
    steps: 100,
    train: { ...train, labels: gaps(train.labels) },
    test: { ...test, labels: gaps(test.labels) },
  });
  t.same(gapped.test, plain.test);
  t.same(
    gapped.classifier.classes,
    Int32Array.from([0, 1, 2, 3, 4, 5, 6], (label) => label * 1000 + 7),
  );
  const foreign = await probe({ steps: 100, test: { ...test, labels: test.labels.map(() => 99) } });
  t.match(foreign.test, { rows: 90, top1: 0, top5: 0 });
});

t.test('a column that never changes is left out', async (t) => {
  const { rows, labels, ...train } = await small('train');
  const data = await train.read(0, rows);
  const flat = data.map((value, i) => (i % 12 === 3 ? 5 : value));
  const result = await probe({ train: inMemory(flat, 12, labels), steps: 100 });
  const row = result.classifier.weight.slice(3 * 7, 4 * 7);
  t.same(Array.from(row), new Array(7).fill(0));
  t.ok(result.test.top1 > 30);
});

t.test('nothing stays behind in the engine', async (t) => {
  const engine = await startEngine();
  const before = engine.alive();
  await probe({ steps: 5, holdout: 10, penalties: [0, 0.1] });
  t.equal(engine.alive(), before);
});
