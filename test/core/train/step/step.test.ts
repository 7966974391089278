/** Training steps, op by op: what they change, and on what they depend. */
import t from 'tap';
import type { Config } from '../../../../src/core/config/config.js';
import { initialValues } from '../../../../src/core/train/initial.js';
import { config, engine } from '../../model/tiny.js';
import { changed, copy, images, resume, start, train, trainable } from '../runs.js';

const rates = (generator: number, encoder: number, discriminator: number) => [
  `train.learningRate.generator=${generator}`,
  `train.learningRate.encoder=${encoder}`,
  `train.learningRate.discriminator=${discriminator}`,
];
for (const [module, settings] of Object.entries({
  generator: rates(1e-3, 0, 0),
  encoder: rates(0, 1e-3, 0),
  discriminator: rates(0, 0, 1e-3),
})) {
  t.test(`an update of the ${module} changes all of its parameters and no others'`, async (t) => {
    const { before, after } = train(config(...settings), 3);
    const own = [...before.keys()].filter((name) => trainable.test(name) && name.startsWith(`${module}/`));
    t.same(changed(before, after, trainable), own);
  });
}

/** The mean of a reported value over the last few steps, and over the first few. */
function trend(c: Config, name: string, steps = 24) {
  const trainer = start(c);
  const values = Array.from(
    { length: steps },
    (_, i) => trainer.step(i, images(c.train.batchSize * c.train.discriminatorSteps))[name],
  );
  trainer.dispose();
  const mean = (part: number[]) => part.reduce((a, b) => a + b) / part.length;
  return { first: mean(values.slice(0, 5)), last: mean(values.slice(-5)) };
}

t.test("each network's updates lower its own loss", async (t) => {
  const d = trend(config(...rates(0, 0, 2e-3)), 'loss_d');
  t.ok(d.last < 0.5 * d.first, `D alone: L_D from ${d.first} to ${d.last}`);
  const g = trend(config(...rates(2e-3, 0, 0)), 'loss_eg');
  t.ok(g.last < g.first - 0.02, `G alone: L_EG from ${g.first} to ${g.last}`);
  const e = trend(config(...rates(0, 2e-3, 0)), 'loss_eg');
  t.ok(e.last < e.first - 0.02, `E alone: L_EG from ${e.first} to ${e.last}`);
});

t.test('D pushes scores of encoder pairs up and of generator pairs down', async (t) => {
  const c = config(...rates(0, 0, 2e-3));
  const trainer = start(c);
  const report = Array.from({ length: 30 }, (_, i) => trainer.step(i, images(8))).at(-1)!;
  t.ok(report.score_x_encoder > 0.5, `${report.score_x_encoder}`);
  t.ok(report.score_x_generator < -0.5, `${report.score_x_generator}`);
  trainer.dispose();
});

t.test('the losses that are reported follow from the scores that are reported', async (t) => {
  // With D's rate 0 and L_EG linear in the scores, both are of the same D but for a step of power iteration.
  const { reports } = train(config(...rates(0, 0, 0)), 30);
  const last = reports.at(-1)!;
  const wanted = ['xz', 'x', 'z'].reduce(
    (sum, term) => sum + last[`score_${term}_encoder`] - last[`score_${term}_generator`],
    0,
  );
  t.ok(Math.abs(last.loss_eg - wanted) < 2e-3, `${last.loss_eg}, not ${wanted}`);
  t.same(Object.keys(last), [
    'loss_d',
    'loss_eg',
    ...['xz', 'x', 'z'].flatMap((term) => [`score_${term}_encoder`, `score_${term}_generator`]),
    'encoder_mean_std',
    'encoder_sigma',
  ]);
  t.same(Object.keys(train(config('model.discriminator.scores=xz'), 1).reports[0]).length, 6);
});

t.test('the same seed gives the same run, another seed another one', async (t) => {
  const [one, two, other] = [config(), config(), { ...config(), seed: 1 }].map((c) => train(c, 3));
  t.same(one.reports, two.reports);
  t.same(changed(one.after, two.after, /./), []);
  t.ok(changed(one.before, other.before, /kernel$/).length > 20, 'other initial weights');
  t.not(one.reports[0].loss_d, other.reports[0].loss_d);
});

t.test('noise depends on the step, and on the seed', async (t) => {
  const c = config(...rates(0, 0, 0));
  const still = (seed: number, step: number) => {
    const same = resume({ ...c, seed }, initialValues(engine, { ...c, seed: 3 }, images(16, 9)));
    const report = same.step(step, images(8));
    same.dispose();
    return report;
  };
  const base = still(3, 0);
  t.same(still(3, 0), base);
  for (const other of [still(3, 1), still(4, 0)]) {
    t.not(other.score_z_generator, base.score_z_generator, 'z');
    t.not(other.score_z_encoder, base.score_z_encoder, "E's noise");
    t.equal(other.encoder_mean_std, base.encoder_mean_std, 'the images are the same');
  }
});

t.test('a trainer that goes on from saved values does what the first would have done', async (t) => {
  const c = config();
  const straight = start(c);
  for (let i = 0; i < 4; i++) straight.step(i, images(8, i));
  const first = start(c);
  for (let i = 0; i < 2; i++) first.step(i, images(8, i));
  const saved = first.values();
  first.dispose();
  const second = resume(c, saved);
  for (let i = 2; i < 4; i++) second.step(i, images(8, i));
  t.same(changed(copy(straight.values()), copy(second.values()), /./), []);
  straight.dispose();
  second.dispose();
});

t.test('taking standing statistics in between changes nothing else', async (t) => {
  const c = config();
  const [plain, interrupted] = [start(c), start(c)];
  for (let i = 0; i < 3; i++) {
    plain.step(i, images(8, i));
    interrupted.step(i, images(8, i));
    await interrupted.takeStatistics(() => [{ images: images(8, 4) }, { images: images(8, 5) }]);
  }
  const differing = changed(copy(plain.values()), copy(interrupted.values()), /./);
  t.ok(differing.length > 0);
  t.same(
    differing.filter((name) => !/standing_(mean|variance)$/.test(name)),
    [],
  );
  plain.dispose();
  interrupted.dispose();
});

t.test('standing statistics are taken anew, of every norm, for trained and averaged weights', async (t) => {
  const trainer = start(config());
  trainer.step(0, images(8));
  const names = [...trainer.values().keys()].filter((name) => /standing_(mean|variance)$/.test(name));
  const before = copy(trainer.values());
  await trainer.takeStatistics(() => [{ images: images(8, 4) }, { images: images(8, 5) }]);
  const once = copy(trainer.values());
  t.same(changed(before, once, /standing_/), names);
  await trainer.takeStatistics(() => [{ images: images(8, 4) }, { images: images(8, 5) }]);
  t.same(changed(once, copy(trainer.values()), /./), [], 'they do not add up');
  await trainer.takeStatistics(() => [{ images: images(8, 6) }, { images: images(8, 7) }]);
  const encoder = changed(once, copy(trainer.values()), /./);
  t.same(
    encoder.filter((name) => !/^(ema\/)?encoder\//.test(name)),
    [],
    'those of G do not depend on images',
  );
  trainer.dispose();
});

t.test('averages start as the weights and follow them', async (t) => {
  const c = config();
  const trainer = start(c);
  const values = () => copy(trainer.values());
  const weights = (all: Map<string, number[]>) =>
    [...all.keys()].filter((name) => all.has(`ema/${name}`) && trainable.test(name));
  const first = values();
  t.ok(weights(first).length > 50);
  for (const name of weights(first)) t.same(first.get(`ema/${name}`), first.get(name), name);
  trainer.step(0, images(8));
  const second = values();
  // The first decay is 1/10.
  const name = 'encoder/output/bias';
  const wanted = second.get(name)!.map((value, i) => 0.1 * first.get(name)![i] + 0.9 * value);
  t.ok(second.get(`ema/${name}`)!.every((value, i) => Math.abs(value - wanted[i]) < 1e-6));
  t.notOk([...second.keys()].some((key) => key.startsWith('ema/discriminator')));
  trainer.dispose();
});

t.test('the learning rate of a step follows the schedule', async (t) => {
  // With β1 = 0 and the second moment at its start, Adam's first update is the rate itself, whatever the gradient.
  const c = config(
    'train.steps=100',
    'train.decayFrom=0',
    'train.decayTo=0',
    'train.adam.beta2=0',
    'train.adam.epsilon=1e-20',
    ...rates(1e-2, 1e-2, 1e-2),
  );
  for (const [step, rate] of [
    [0, 1e-2],
    [50, 5e-3],
    [90, 1e-3],
  ]) {
    const trainer = start(c);
    const before = copy(trainer.values()).get('encoder/output/bias')!;
    trainer.step(step, images(8));
    const moved = copy(trainer.values())
      .get('encoder/output/bias')!
      .map((value, i) => Math.abs(value - before[i]));
    t.ok(
      moved.every((value) => Math.abs(value / rate - 1) < 1e-2),
      `step ${step}: ${moved[0]}, not ${rate}`,
    );
    trainer.dispose();
  }
});

for (const settings of [
  ['train.discriminatorSteps=2'],
  ['train.reuseForward=false'],
  ['train.flip=true'],
  ['model.encoder.stochastic=false'],
]) {
  t.test(`runs with ${settings.join(' ')}`, async (t) => {
    const { before, after, reports } = train(config(...settings), 3);
    t.ok(reports.every((report) => Object.values(report).every(Number.isFinite)));
    t.same(
      changed(before, after, trainable),
      [...before.keys()].filter((name) => trainable.test(name)),
    );
  });
}

t.test('several D updates use their own images and moments', async (t) => {
  const c = config('train.discriminatorSteps=2', ...rates(0, 0, 1e-3));
  const run = (data: Uint8Array) => {
    const trainer = start(c);
    trainer.step(0, data);
    const after = copy(trainer.values());
    trainer.dispose();
    return after;
  };
  const [a, b] = [images(8, 1), images(8, 2)];
  const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const base = run(join(a, b));
  const d = /^discriminator\/.*kernel$/;
  t.ok(changed(base, run(join(a, a)), d).length > 10, 'the second batch counts');
  t.ok(changed(base, run(join(b, b)), d).length > 10, 'the first batch counts');
  t.throws(() => start(c).step(0, a), /does not match/);
});

t.test('every update of D counts in its bias correction', async (t) => {
  const [rate, beta2] = [1e-3, 0.5];
  const c = config(
    'train.discriminatorSteps=2',
    'train.adam.epsilon=1e-12',
    `train.adam.beta2=${beta2}`,
    ...rates(0, 0, rate),
  );
  const { before, after } = train(c, 1);
  const name = 'discriminator/score_x/kernel';
  const [m, v] = [after.get(`adam/m/${name}`)!, after.get(`adam/v/${name}`)!];
  // With β1 = 0 the first update moves by the rate; what the second adds follows from the moments it leaves.
  before.get(name)!.forEach((start, i) => {
    const second = (-rate * Math.sqrt(1 - beta2 ** 2) * m[i]) / Math.sqrt(v[i]);
    const first = after.get(name)![i] - start - second;
    t.ok(Math.abs(Math.abs(first) / rate - 1) < 1e-2, `${first}`);
  });
});

t.test('mirroring turns some of the images, others at each step', async (t) => {
  // All images are the same, half white and half black, so that E tells nothing but mirrored ones from others.
  const c = config('train.flip=true', 'train.batchSize=64', ...rates(0, 0, 0));
  const half = new Uint8Array(64 * 1024);
  for (let i = 0; i < half.length; i++) half[i] = i % 32 < 16 ? 255 : 0;
  const spread = (flip: boolean, step: number) => {
    const trainer = start({ ...c, train: { ...c.train, flip } });
    const value = trainer.step(step, half).encoder_mean_std;
    trainer.dispose();
    return value;
  };
  t.ok(spread(false, 0) < 1e-6, 'all images are one');
  t.ok(spread(true, 0) > 1e-4, 'mirrored ones differ');
  t.not(spread(true, 0), spread(true, 1), 'others at each step');
});
