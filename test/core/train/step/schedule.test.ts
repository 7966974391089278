import t from 'tap';
import { preset } from '../../../../src/core/config/presets.js';
import { decayFactor, learningRates, leavesSchedule } from '../../../../src/core/train/step/schedule.js';

t.test('constant, then a straight line', async (t) => {
  const settings = { steps: 100, decayFrom: 0.6, decayTo: 0.2, decay: 'linear' } as const;
  for (const [step, wanted] of [
    [0, 1],
    [59, 1],
    [60, 1],
    [70, 0.8],
    [80, 0.6],
    [90, 0.4],
    [99, 0.22],
    [100, 0.2],
    [1000, 0.2],
  ]) {
    t.ok(Math.abs(decayFactor(step, settings) - wanted) < 1e-12, `step ${step}`);
  }
});

t.test('constant, then by the same factor at every step', async (t) => {
  const settings = { steps: 400, decayFrom: 0.5, decayTo: 0.01, decay: 'exponential' } as const;
  for (const [step, wanted] of [
    [0, 1],
    [200, 1],
    [300, 0.1],
    [350, 0.1 ** 1.5],
    [400, 0.01],
    [1000, 0.01],
  ]) {
    t.ok(Math.abs(decayFactor(step, settings) - wanted) < 1e-12, `step ${step}`);
  }
  t.ok(Math.abs(decayFactor(222, settings) / decayFactor(221, settings) - 0.01 ** (1 / 200)) < 1e-12);
});

t.test('never, or from the start', async (t) => {
  for (const decay of ['linear', 'exponential'] as const) {
    for (const step of [0, 50, 100]) t.equal(decayFactor(step, { steps: 100, decayFrom: 1, decayTo: 0, decay }), 1);
    t.equal(decayFactor(0, { steps: 0, decayFrom: 0.6, decayTo: 0.02, decay }), 1);
    t.ok(Number.isFinite(decayFactor(1, { steps: 1, decayFrom: 1, decayTo: 0, decay })));
  }
  t.equal(decayFactor(50, { steps: 100, decayFrom: 0, decayTo: 0, decay: 'linear' }), 0.5);
});

t.test('what has been done fits another total where the rates were the same', async (t) => {
  const { train } = preset('tiny');
  const total = (steps: number, decayFrom = 0.6) => ({ ...train, decayFrom, steps });
  t.notOk(leavesSchedule(0, total(10), total(20)), 'nothing is done');
  t.notOk(leavesSchedule(7, total(10), total(20)), 'step 6 is the last one without decay');
  t.ok(leavesSchedule(8, total(10), total(20)));
  t.ok(leavesSchedule(8, total(20), total(10)), 'nor would the smaller total have had these rates');
  t.notOk(leavesSchedule(10, total(10, 1), total(20, 1)), 'rates never fall');
  t.notOk(leavesSchedule(10, total(10), total(10)));
});

t.test("each module's rate, for the log", async (t) => {
  const config = preset('tiny');
  Object.assign(config.train, { steps: 100, decayFrom: 0.5, decayTo: 0, decay: 'linear' });
  config.train.learningRate = { generator: 1, encoder: 2, discriminator: 4 };
  t.same(learningRates(75, config), {
    learning_rate_generator: 0.5,
    learning_rate_encoder: 1,
    learning_rate_discriminator: 2,
  });
  config.model.discriminator.scores = [];
  t.same(Object.keys(learningRates(0, config)), ['learning_rate_generator', 'learning_rate_encoder']);
  config.model.encoder = { ...config.model.encoder, kind: 'none' } as typeof config.model.encoder;
  t.same(learningRates(0, config), { learning_rate_generator: 1 });
});
