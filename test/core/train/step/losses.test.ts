import t, { type Test } from 'tap';
import { startEngine } from '../../../../src/core/backend/engine.js';
import { constant } from '../../../../src/core/backend/executor.js';
import { gradients, watch } from '../../../../src/core/backend/gradient.js';
import type { Tensor } from '../../../../src/core/backend/tensor.js';
import type { Scores } from '../../../../src/core/model/judged.js';
import { hinge, OBJECTIVES } from '../../../../src/core/train/step/losses.js';

const engine = await startEngine();
const { discriminator: discriminatorLoss, encoderGenerator: encoderGeneratorLoss } = OBJECTIVES.hinge;
const vector = (...values: number[]) => constant(Float32Array.from(values), [values.length]);
const number = (make: () => Tensor) => engine.scope(() => engine.read(make())[0]);
const close = (t: Test, found: number, wanted: number) =>
  t.ok(Math.abs(found - wanted) < 1e-6, `${found}, not ${wanted}`);

const encoder = (): Scores => ({ xz: vector(0.5, 2), x: vector(-1, 3), z: vector(0, 0.25) });
const generator = (): Scores => ({ xz: vector(-0.5, 1), x: vector(-3, -2), z: vector(0.5, -0.25) });

t.test('h(t) = max(0, 1 − t)', async (t) => {
  t.same(Array.from(engine.scope(() => engine.read(hinge(vector(-2, 0, 0.75, 1, 1.5))))), [3, 1, 0.25, 0, 0]);
});

t.test('L_D: hinges of s on encoder pairs and of −s on generator pairs, each score clamped by itself', async (t) => {
  // xz: (0.5 + 0)/2 + (0.5 + 2)/2 = 1.5; x: (2 + 0)/2 + 0 = 1; z: (1 + 0.75)/2 + (1.5 + 0.75)/2 = 2
  close(
    t,
    number(() => discriminatorLoss(encoder(), generator())),
    4.5,
  );
  // One hinge on the summed score of each pair would give another number.
  close(
    t,
    number(() => discriminatorLoss({ xz: vector(3), x: vector(-3) }, { xz: vector(-3), x: vector(-3) })),
    4,
  );
});

t.test('L_EG: linear, + on encoder pairs and − on generator pairs', async (t) => {
  // xz: 1.25 − 0.25 = 1; x: 1 + 2.5 = 3.5; z: 0.125 − 0.125 = 0
  close(
    t,
    number(() => encoderGeneratorLoss(encoder(), generator())),
    4.5,
  );
  // Without a hinge it has no bounds.
  close(
    t,
    number(() => encoderGeneratorLoss({ xz: vector(-100) }, { xz: vector(50) })),
    -150,
  );
});

t.test('terms that the model lacks are left out', async (t) => {
  const joint = [encoder, generator].map((make) => () => ({ xz: make().xz }));
  close(
    t,
    number(() => discriminatorLoss(joint[0](), joint[1]())),
    1.5,
  );
  close(
    t,
    number(() => encoderGeneratorLoss(joint[0](), joint[1]())),
    1,
  );
  const without = [encoder, generator].map((make) => () => ({ xz: make().xz, z: make().z }));
  close(
    t,
    number(() => discriminatorLoss(without[0](), without[1]())),
    3.5,
  );
  close(
    t,
    number(() => encoderGeneratorLoss(without[0](), without[1]())),
    1,
  );
});

t.test(
  'gradients: D pushes encoder pairs up and generator pairs down unless past the margin; E and G the reverse',
  async (t) => {
    const grads = (loss: typeof discriminatorLoss) =>
      engine.scope(() => {
        const [real, fake] = [watch(vector(0.5, 2)), watch(vector(-2, 0.5))];
        return gradients(loss({ xz: real }, { xz: fake }), [real, fake]).map((g) => Array.from(engine.read(g)));
      });
    t.same(grads(discriminatorLoss), [
      [-0.5, 0],
      [0, 0.5],
    ]);
    t.same(grads(encoderGeneratorLoss), [
      [0.5, 0.5],
      [-0.5, -0.5],
    ]);
  },
);

t.test("G's part alone, with weight 1", async (t) => {
  const part = () => ({ xz: vector(-1, 0.25) });
  close(
    t,
    number(() => OBJECTIVES.hinge.generator(part())),
    0.375,
  );
  close(
    t,
    number(() => OBJECTIVES['summed-hinge'].generator(generator())),
    4.25 / 2,
  );
  const wanted = (Math.log1p(Math.exp(1)) + Math.log1p(Math.exp(-0.25))) / 2;
  close(
    t,
    number(() => OBJECTIVES.sigmoid.generator(part())),
    wanted,
  );
});

t.test('summed hinge: one clamp on the sum of the scores of a pair', async (t) => {
  const { discriminator, encoderGenerator } = OBJECTIVES['summed-hinge'];
  // Sums: encoder −0.5 and 5.25, generator −3 and −1.25; (1.5 + 0)/2 + (0 + 0)/2
  close(
    t,
    number(() => discriminator(encoder(), generator())),
    0.75,
  );
  close(
    t,
    number(() => encoderGenerator(encoder(), generator())),
    4.5,
  );
});

t.test('sigmoid: cross-entropy, with exchanged labels for G and E', async (t) => {
  const { discriminator, encoderGenerator } = OBJECTIVES.sigmoid;
  const [real, fake] = [() => ({ xz: vector(0.5, 2) }), () => ({ xz: vector(-1, 0.25) })];
  const sigma = (x: number) => 1 / (1 + Math.exp(-x));
  const wanted = -(Math.log(sigma(0.5)) + Math.log(sigma(2)) + Math.log(1 - sigma(-1)) + Math.log(1 - sigma(0.25))) / 4;
  close(
    t,
    number(() => discriminator(real(), fake())),
    wanted,
  );
  const exchanged =
    -(Math.log(1 - sigma(0.5)) + Math.log(1 - sigma(2)) + Math.log(sigma(-1)) + Math.log(sigma(0.25))) / 4;
  close(
    t,
    number(() => encoderGenerator(real(), fake())),
    exchanged,
  );
  close(
    t,
    number(() => discriminator({ xz: vector(0) }, { xz: vector(0) })),
    Math.log(2),
  );
});
