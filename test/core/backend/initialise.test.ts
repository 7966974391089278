import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { type Initialiser, initialValue, normal, ones, orthogonal } from '../../../src/core/backend/initialise.js';

const engine = await startEngine();

const values = (
  shape: number[],
  { name = 'generator/kernel', seed = 1, initialiser = orthogonal as Initialiser } = {},
) => engine.scope(() => Array.from(engine.read(initialValue({ name, shape, initialiser }, seed))));

/**
 * Largest |MᵀM − I| (or |MMᵀ − I| where there are fewer rows) of the kernel as the matrix [everything else, outputs].
 */
function deviation(kernel: number[], outputs: number): number {
  const rows = kernel.length / outputs;
  const vectors =
    rows >= outputs
      ? Array.from({ length: outputs }, (_, j) => kernel.filter((_, i) => i % outputs === j))
      : Array.from({ length: rows }, (_, i) => kernel.slice(i * outputs, (i + 1) * outputs));
  let worst = 0;
  vectors.forEach((a, i) =>
    vectors.forEach((b, j) => {
      const dot = a.reduce((sum, value, k) => sum + value * b[k], 0);
      worst = Math.max(worst, Math.abs(dot - (i === j ? 1 : 0)));
    }),
  );
  return worst;
}

for (const shape of [
  [40, 12],
  [12, 40],
  [9, 9],
  [3, 3, 4, 8],
  [1, 1, 3, 16],
  [1, 7],
  [7, 1],
]) {
  t.test(`orthogonal [${shape}]`, async (t) => {
    const kernel = values(shape);
    t.equal(
      kernel.length,
      shape.reduce((a, b) => a * b),
    );
    t.ok(deviation(kernel, shape.at(-1)!) < 1e-5);
  });
}

t.test('orthogonal matrices point everywhere: the mean of an entry is 0, of its square 1/n', async (t) => {
  const entries = Array.from({ length: 600 }, (_, seed) => values([4, 4], { seed })).map((matrix) => [
    matrix[0],
    matrix[15],
  ]);
  for (const corner of [0, 1]) {
    const mean = entries.reduce((sum, e) => sum + e[corner], 0) / entries.length;
    const square = entries.reduce((sum, e) => sum + e[corner] ** 2, 0) / entries.length;
    // Standard errors are 0.5 / √600 = 0.02 and below.
    t.ok(Math.abs(mean) < 0.1, `mean ${mean}`);
    t.ok(Math.abs(square - 0.25) < 0.06, `mean square ${square}`);
  }
});

t.test('values follow from name and seed, whatever was drawn before', async (t) => {
  const first = values([5, 5]);
  t.not(String(values([5, 5], { name: 'generator/kernel2' })), String(first));
  t.not(String(values([5, 5], { seed: 2 })), String(first));
  t.same(values([5, 5]), first);
});

t.test('normal values have the standard deviation asked for', async (t) => {
  const draws = values([20000], { initialiser: normal(0.02) });
  const mean = draws.reduce((a, b) => a + b) / draws.length;
  const std = Math.sqrt(draws.reduce((sum, v) => sum + (v - mean) ** 2, 0) / draws.length);
  t.ok(Math.abs(mean) < 0.001);
  t.ok(Math.abs(std / 0.02 - 1) < 0.03);
});

t.test('constants', async (t) => {
  t.same(values([2, 2], { initialiser: ones }), [1, 1, 1, 1]);
});
