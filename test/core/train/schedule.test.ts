import t from 'tap';
import { decayFactor } from '../../../src/core/train/schedule.js';

t.test('constant, then a straight line', async (t) => {
  const settings = { steps: 100, decayFrom: 0.6, decayTo: 0.2 };
  for (const [step, wanted] of [[0, 1], [59, 1], [60, 1], [70, 0.8], [80, 0.6], [90, 0.4], [99, 0.22], [100, 0.2], [1000, 0.2]]) {
    t.ok(Math.abs(decayFactor(step, settings) - wanted) < 1e-12, `step ${step}`);
  }
});

t.test('never, or from the start', async (t) => {
  for (const step of [0, 50, 100]) t.equal(decayFactor(step, { steps: 100, decayFrom: 1, decayTo: 0 }), 1);
  t.equal(decayFactor(50, { steps: 100, decayFrom: 0, decayTo: 0 }), 0.5);
  t.equal(decayFactor(0, { steps: 0, decayFrom: 0.6, decayTo: 0.02 }), 1);
  t.ok(Number.isFinite(decayFactor(1, { steps: 1, decayFrom: 1, decayTo: 0 })));
});
