import t from 'tap';
import { startEngine } from '../../../../src/core/backend/engine.js';
import { createSoftmaxHeads, type Head } from '../../../../src/core/metrics/probe/softmax-heads.js';

const WIDTH = 3;
const CLASSES = 4;
const heads: Head[] = [
  { learningRate: 0.1, penalty: 0.3 },
  { learningRate: 0.02, penalty: 0 },
];
const batches = [0, 1, 2].map((step) => ({
  data: Float32Array.from({ length: 5 * WIDTH }, (_, i) => Math.sin(7 * i + 11 * step)),
  labels: Int32Array.from({ length: 5 }, (_, i) => (i * 3 + step) % CLASSES),
  decay: 1 - step / 4,
}));

/** Of the cross-entropy with penalty, by weight and by bias, written out in double precision. */
function gradientsOf(
  weight: number[],
  bias: number[],
  penalty: number,
  { data, labels }: { data: Float32Array; labels: Int32Array },
) {
  const gradients = [weight.map((value) => penalty * value), bias.map(() => 0)];
  labels.forEach((label, row) => {
    const x = [...data.subarray(row * WIDTH, (row + 1) * WIDTH)];
    const scores = bias.map((value, c) => x.reduce((sum, input, j) => sum + input * weight[j * CLASSES + c], value));
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    scores.forEach((score, c) => {
      const error = (Math.exp(score) / total - (c === label ? 1 : 0)) / labels.length;
      x.forEach((input, j) => (gradients[0][j * CLASSES + c] += input * error));
      gradients[1][c] += error;
    });
  });
  return gradients;
}

/** One regression with Adam, written out in double precision from the formulas of the two papers. */
function reference({ learningRate, penalty }: Head): { weight: number[]; bias: number[] } {
  const weight = new Array<number>(WIDTH * CLASSES).fill(0);
  const bias = new Array<number>(CLASSES).fill(0);
  const parameters = [weight, bias].map((value) => ({ value, m: value.map(() => 0), v: value.map(() => 0) }));
  batches.forEach(({ data, labels, decay }, step) => {
    const gradients = gradientsOf(weight, bias, penalty, { data, labels });
    parameters.forEach(({ value, m, v }, which) =>
      gradients[which].forEach((gradient, i) => {
        m[i] = 0.9 * m[i] + 0.1 * gradient;
        v[i] = 0.999 * v[i] + 0.001 * gradient ** 2;
        const corrected = m[i] / (1 - 0.9 ** (step + 1));
        value[i] -= (learningRate * decay * corrected) / (Math.sqrt(v[i] / (1 - 0.999 ** (step + 1))) + 1e-8);
      }),
    );
  });
  return { weight, bias };
}

t.test('three steps of two heads agree with the formulas', async (t) => {
  const trained = createSoftmaxHeads(await startEngine(), heads, WIDTH, CLASSES);
  for (const { data, labels, decay } of batches) trained.step(data, labels, decay);
  heads.forEach((head, index) => {
    const [got, wanted] = [trained.head(index), reference(head)];
    wanted.weight.forEach((value, i) => t.ok(Math.abs(got.weight[i] - value) < 1e-5, `head ${index}, weight ${i}`));
    wanted.bias.forEach((value, i) => t.ok(Math.abs(got.bias[i] - value) < 1e-5, `head ${index}, bias ${i}`));
  });
  trained.dispose();
});

t.test('scores are laid out as rows, heads, classes', async (t) => {
  const trained = createSoftmaxHeads(await startEngine(), heads, WIDTH, CLASSES);
  for (const { data, labels, decay } of batches) trained.step(data, labels, decay);
  const rows = Float32Array.of(1, 0, 0, 0, 2, 0);
  const scores = trained.scores(rows);
  t.equal(scores.length, 2 * heads.length * CLASSES);
  heads.forEach((_, index) => {
    const { weight, bias } = trained.head(index);
    for (let c = 0; c < CLASSES; c++) {
      t.ok(Math.abs(scores[index * CLASSES + c] - (weight[c] + bias[c])) < 1e-6);
      t.ok(Math.abs(scores[(heads.length + index) * CLASSES + c] - (2 * weight[CLASSES + c] + bias[c])) < 1e-6);
    }
  });
  trained.dispose();
});

t.test('gradient descent with momentum, and averaged weights', async (t) => {
  const trained = createSoftmaxHeads(await startEngine(), heads, WIDTH, CLASSES, { optimiser: 'sgd', average: 0.5 });
  for (const { data, labels, decay } of batches) trained.step(data, labels, decay);
  heads.forEach(({ learningRate, penalty }, index) => {
    const weight = new Array<number>(WIDTH * CLASSES).fill(0);
    const bias = new Array<number>(CLASSES).fill(0);
    const parameters = [weight, bias].map((value) => ({
      value,
      momentum: value.map(() => 0),
      average: value.map(() => 0),
    }));
    batches.forEach(({ data, labels, decay }, step) => {
      const gradients = gradientsOf(weight, bias, penalty, { data, labels });
      const kept = Math.min(0.5, (2 + step) / (11 + step));
      parameters.forEach(({ value, momentum, average }, which) =>
        gradients[which].forEach((gradient, i) => {
          momentum[i] = 0.9 * momentum[i] + gradient;
          value[i] -= learningRate * decay * momentum[i];
          average[i] = kept * average[i] + (1 - kept) * value[i];
        }),
      );
    });
    const got = trained.head(index);
    parameters[0].average.forEach((value, i) =>
      t.ok(Math.abs(got.weight[i] - value) < 1e-6, `head ${index}, weight ${i}`),
    );
    parameters[1].average.forEach((value, i) => t.ok(Math.abs(got.bias[i] - value) < 1e-6, `head ${index}, bias ${i}`));
  });
  trained.dispose();
});
