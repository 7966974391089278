import t from 'tap';
import { resolveConfig } from '../../../src/core/config/resolve.js';
import type { Streaks } from '../../../src/core/run/checkpoint-header.js';
import { countSigns, LASTING, lastingSigns, REMINDER, warnings } from '../../../src/core/train/collapse.js';
import { createMonitor } from '../../../src/core/train/monitor.js';

const config = (...settings: string[]) => resolveConfig({ preset: 'tiny', settings });
const healthy = { loss_d: 4.2, encoder_mean_std: 0.02 };

/** The streaks after so many steps of the same report. */
function after(steps: number, values: Record<string, number>, streaks: Streaks = {}, settings = config()): Streaks {
  for (let i = 0; i < steps; i++) streaks = countSigns(streaks, values, settings);
  return streaks;
}

t.test('a discriminator whose loss stays near 0', async (t) => {
  const saturated = { ...healthy, loss_d: 0.05 };
  t.same(lastingSigns(after(LASTING - 1, saturated)), []);
  t.same(lastingSigns(after(LASTING, saturated)), ['discriminator_saturated']);
  t.same(after(1, healthy, after(LASTING, saturated)), {}, 'one step without it begins the count anew');
  t.same(lastingSigns(after(LASTING, { ...healthy, loss_d: 0.07 })), [], '1% of 2 a score');
});

t.test('near 0 is measured by the loss', async (t) => {
  const last = (loss_d: number, ...settings: string[]) =>
    lastingSigns(after(LASTING, { loss_d }, {}, config(...settings)));
  t.same(last(0.019, 'model.discriminator.scores=xz'), ['discriminator_saturated']);
  t.same(last(0.021, 'model.discriminator.scores=xz'), []);
  t.same(last(0.019, 'train.loss=summed-hinge'), ['discriminator_saturated']);
  t.same(last(0.0069, 'train.loss=sigmoid'), ['discriminator_saturated']);
  t.same(last(0.007, 'train.loss=sigmoid'), []);
});

t.test('an encoder whose output does not vary', async (t) => {
  t.same(lastingSigns(after(LASTING, { ...healthy, encoder_mean_std: 0.009 })), ['encoder_collapsed']);
  t.same(lastingSigns(after(LASTING, healthy)), []);
  t.same(lastingSigns(after(LASTING, { loss_reconstruction: 0 })), [], 'neither is reported');
});

t.test('warnings come once, then at intervals', async (t) => {
  let streaks: Streaks = {};
  const at: number[] = [];
  for (let step = 1; step <= LASTING + 2 * REMINDER + 5; step++) {
    streaks = countSigns(streaks, { ...healthy, loss_d: 0 }, config());
    if (warnings(streaks).length > 0) at.push(step);
  }
  t.same(at, [LASTING, LASTING + REMINDER, LASTING + 2 * REMINDER]);
  t.match(warnings(after(LASTING, { loss_d: 0, encoder_mean_std: 0 })), [
    /^D has classified all pairs correctly for 100 steps/,
    /^E has given nearly the same output/,
  ]);
});

t.test('lines of the log are the same whether or not the run was interrupted', async (t) => {
  const values = (step: number) => ({ loss_d: Math.sin(step) / 30, encoder_mean_std: 0.1 / 3 + step / 7 });
  const lines = (breaks: number[]) => {
    let monitor = createMonitor(config());
    const all: object[] = [];
    for (let step = 1; step <= 250; step++) {
      monitor.add(values(step));
      if (step % 7 === 0) all.push(monitor.take());
      // What a checkpoint does to it.
      const state = monitor.state();
      if (breaks.includes(step)) monitor = createMonitor(config(), state && JSON.parse(JSON.stringify(state)));
    }
    return all;
  };
  const whole = lines([]);
  t.same(lines([5, 7, 100, 101, 240]), whole);
  t.same(whole[0], {
    loss_d: mean(1, 7, (step) => values(step).loss_d),
    encoder_mean_std: mean(1, 7, (step) => values(step).encoder_mean_std),
  });
  t.match(whole.at(-1), { collapse: ['discriminator_saturated'] });
});

function mean(from: number, to: number, value: (step: number) => number): number {
  let sum = 0;
  for (let step = from; step <= to; step++) sum += value(step);
  return sum / (to - from + 1);
}

t.test('nothing is kept where there is nothing to keep', async (t) => {
  const monitor = createMonitor(config());
  t.equal(monitor.state(), undefined);
  monitor.add(healthy);
  t.match(monitor.state(), { steps: 1, sums: healthy, streaks: {} });
  t.same(monitor.take(), healthy);
  t.equal(monitor.state(), undefined);
});
