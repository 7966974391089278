/** The step as one graph of TensorFlow, against the same step op by op. */
import t from 'tap';
import { config, engine } from '../model/tiny.js';
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
  [],
  ['train.discriminatorSteps=2', 'train.reuseForward=false', 'train.flip=true'],
  ['model.discriminator.scores=xz,z', 'model.discriminator.joint=map', 'model.encoder.stochastic=false'],
]) {
  t.test(`as one graph the same as op by op: ${settings.join(' ') || 'as the preset is'}`, async (t) => {
    const c = config(...settings);
    const [eager, traced] = (['eager', 'traced'] as const).map((execution) => train(c, 3, execution));
    t.ok(eager.reports.every((report) => Object.values(report).every(Number.isFinite)));
    t.same(changed(eager.before, eager.after, trainable), [...eager.before.keys()].filter((name) => trainable.test(name)));
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

t.test('as one graph: standing statistics, and the model of the sheets', async (t) => {
  const c = config();
  const states = (['eager', 'traced'] as const).map((execution) => {
    const trainer = start(c, execution);
    trainer.takeStatistics([images(8, 4), images(8, 5)]);
    trainer.takeStatistics([images(8, 4), images(8, 5)]);
    const pictures = Array.from(trainer.model.generate(trainer.model.encode(images(4), 4).z_mean, 4));
    const state = copy(trainer.values());
    trainer.dispose();
    return { state, pictures };
  });
  t.ok(distance(states[0].state, states[1].state, /standing_/) < 1e-4);
  t.ok(states[0].pictures.every((value, i) => Math.abs(value - states[1].pictures[i]) <= 1));
  t.ok(new Set(states[0].pictures).size > 10);
});

t.test('in bf16 the first report is nearly the same, and training goes on', async (t) => {
  const exact = train(config(), 1, 'traced').reports[0];
  const c = config();
  c.train.precision = 'bf16';
  const half = train(c, 5, 'traced');
  for (const [name, value] of Object.entries(exact)) t.ok(Math.abs(half.reports[0][name] - value) < 0.1, `${name}: ${half.reports[0][name]}, not ${value}`);
  t.ok(half.reports.every((report) => Object.values(report).every(Number.isFinite)));
  t.same(changed(half.before, half.after, trainable), [...half.before.keys()].filter((name) => trainable.test(name)));
});

t.test('as one graph: the same seed, the same run; and a run that goes on', async (t) => {
  const c = config();
  const runs = [0, 1].map(() => {
    const trainer = start(c, 'traced');
    for (let i = 0; i < 4; i++) trainer.step(i, images(8, i));
    const state = copy(trainer.values());
    trainer.dispose();
    return state;
  });
  t.same(changed(runs[0], runs[1], /./), []);
  const first = start(c, 'traced');
  for (let i = 0; i < 2; i++) first.step(i, images(8, i));
  const saved = first.values();
  first.dispose();
  const second = resume(c, saved, 'traced');
  for (let i = 2; i < 4; i++) second.step(i, images(8, i));
  t.same(changed(runs[0], copy(second.values()), /./), []);
  second.dispose();
});

t.test('50 steps leave no tensors behind', async (t) => {
  const trainer = start(config('train.flip=true'), 'traced');
  const data = images(8);
  trainer.step(0, data);
  const before = engine.alive();
  for (let i = 1; i <= 50; i++) trainer.step(i, data);
  trainer.takeStatistics([data, data]);
  trainer.values();
  trainer.model.encode(data.subarray(0, 1024), 1);
  t.equal(engine.alive(), before);
  trainer.dispose();
});

t.test('a trainer that is disposed of leaves nothing', async (t) => {
  const before = engine.alive();
  const trainer = start(config(), 'traced');
  trainer.step(0, images(8));
  trainer.dispose();
  t.equal(engine.alive(), before);
});
