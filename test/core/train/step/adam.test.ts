import t from 'tap';
import { startEngine } from '../../../../src/core/backend/engine.js';
import { constant, fill, scalar } from '../../../../src/core/backend/executor.js';
import { zeros } from '../../../../src/core/backend/initialise.js';
import { allocate } from '../../../../src/core/backend/variables.js';
import { adamVariables, applyAdam } from '../../../../src/core/train/step/adam.js';

const engine = await startEngine();
const spec = (name: string) => ({ name, shape: [4], dtype: 'float32' as const, initialiser: zeros, trainable: true });
const start = [1, -2, 0.5, 3];
const gradient = (step: number, name: string) =>
  start.map((_, i) => Math.sin(step * 1.7 + i * 2.3 + name.length) * 10 ** (i - 2));

t.test('slots are named after the parameter, are zero, and are not trained', async (t) => {
  const slots = adamVariables([spec('generator/kernel')]);
  t.same(
    slots.map(({ name, shape, trainable, initialiser }) => ({ name, shape, trainable, initialiser })),
    [
      { name: 'adam/m/generator/kernel', shape: [4], trainable: false, initialiser: zeros },
      { name: 'adam/v/generator/kernel', shape: [4], trainable: false, initialiser: zeros },
    ],
  );
});

// A large epsilon tells where it is added: to √v, not to the corrected √(v / (1 − β2ᵗ)).
for (const settings of [
  { beta1: 0, beta2: 0.999, epsilon: 1e-8 },
  { beta1: 0.9, beta2: 0.99, epsilon: 1e-2 },
]) {
  t.test(`5 updates as in double precision, ${JSON.stringify(settings)}`, async (t) => {
    const { beta1, beta2, epsilon } = settings;
    const trainable = [spec('a'), spec('bb')];
    const variables = allocate(engine, [...trainable, ...adamVariables(trainable)], ({ name }) =>
      trainable.some((s) => s.name === name) ? constant(Float32Array.from(start), [4]) : fill(0, [4]),
    );
    const reference = new Map(trainable.map(({ name }) => [name, { w: [...start], m: [0, 0, 0, 0], v: [0, 0, 0, 0] }]));
    for (let step = 1; step <= 5; step++) {
      const rate = 0.1 / step;
      engine.scope(() =>
        applyAdam(
          variables,
          ['a', 'bb'],
          ['a', 'bb'].map((name) => constant(Float32Array.from(gradient(step, name)), [4])),
          settings,
          { learningRate: scalar(rate), beta1Power: scalar(beta1 ** step), beta2Power: scalar(beta2 ** step) },
        ),
      );
      for (const [name, { w, m, v }] of reference) {
        gradient(step, name).forEach((g, i) => {
          m[i] = beta1 * m[i] + (1 - beta1) * g;
          v[i] = beta2 * v[i] + (1 - beta2) * g * g;
          w[i] -= (rate * Math.sqrt(1 - beta2 ** step) * m[i]) / (1 - beta1 ** step) / (Math.sqrt(v[i]) + epsilon);
        });
        const values = variables.values();
        for (const [slot, wanted] of Object.entries({ [name]: w, [`adam/m/${name}`]: m, [`adam/v/${name}`]: v })) {
          const found = values.get(slot)!.data;
          const scale = Math.max(...wanted.map(Math.abs));
          t.ok(
            wanted.every((value, i) => Math.abs(value - found[i]) < 2e-5 * scale),
            `${slot} after ${step}`,
          );
        }
      }
    }
    variables.dispose();
  });
}
