/** The step as one graph of TensorFlow: with settings other than the preset's, and when it goes on. */
import t from 'tap';
import { config } from '../model/tiny.js';
import { changed, copy, images, resume, start, train, trainable } from './runs.js';

/** Relative distance of two states, by groups of variables: weights, their averages, moments, singular vectors. */
function distance(a: Map<string, number[]>, b: Map<string, number[]>, among: RegExp): number {
  let [squares, difference] = [0, 0];
  for (const [name, values] of a) {
    if (!among.test(name)) continue;
    values.forEach((value, i) => {
      squares += value ** 2;
      difference += (value - b.get(name)![i]) ** 2;
    });
  }
  return Math.sqrt(difference / squares);
}

for (const settings of [
  ['train.discriminatorSteps=2', 'train.reuseForward=false', 'train.flip=true'],
  ['model.discriminator.scores=xz,z', 'model.discriminator.joint=map', 'model.encoder.stochastic=false'],
]) {
  t.test(`the same as op by op: ${settings.join(' ')}`, async (t) => {
    const c = config(...settings);
    const [eager, traced] = (['eager', 'traced'] as const).map((execution) => train(c, 3, execution));
    t.ok(eager.reports.every((report) => Object.values(report).every(Number.isFinite)));
    t.same(
      changed(eager.before, eager.after, trainable),
      [...eager.before.keys()].filter((name) => trainable.test(name)),
    );
    t.same(eager.before, traced.before);
    traced.reports.forEach((report, i) => {
      for (const [name, value] of Object.entries(eager.reports[i])) {
        if (Math.abs(report[name] - value) > 2e-3) t.fail(`step ${i}: ${name} is ${report[name]}, not ${value}`);
      }
    });
    for (const group of [trainable, /^ema\/.*(kernel|bias|scale|offset)$/, /^adam\/m/, /^adam\/v/, /\/u$/]) {
      const far = distance(eager.after, traced.after, group);
      t.ok(far < 5e-3, `${group}: ${far}`);
    }
  });
}

t.test('a run that goes on from saved values is the run that was not interrupted', async (t) => {
  const c = config();
  const straight = start(c, 'traced');
  const first = start(c, 'traced');
  for (let i = 0; i < 4; i++) straight.step(i, images(8, i));
  for (let i = 0; i < 2; i++) first.step(i, images(8, i));
  const second = resume(c, first.values(), 'traced');
  for (let i = 2; i < 4; i++) second.step(i, images(8, i));
  t.same(changed(copy(straight.values()), copy(second.values()), /./), []);
  for (const trainer of [straight, first, second]) trainer.dispose();
});
