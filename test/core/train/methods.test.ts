/** One step of BiGAN and of its baselines against PyTorch (fixtures/model/make-dense.py), op by op and as a graph. */
import t from 'tap';
import type { Execution } from '../../../src/core/backend/machine.js';
import { size } from '../../../src/core/backend/tensor.js';
import type { Config } from '../../../src/core/config/config.js';
import { initialValues, runVariables } from '../../../src/core/train/initial.js';
import { createTrainer } from '../../../src/core/train/trainer.js';
import { denseConfig, densePixels, denseWeights, far, reference } from '../model/dense-reference.js';
import { engine, config as tinyConfig } from '../model/tiny.js';
import { changed, copy, train } from './runs.js';

const { rate, beta1, weight_decay: decay } = reference.settings;
const kernel = /^(generator|discriminator|encoder)\/.*kernel$/;

/** A run whose weights are the fixture's, everything else 0. */
function begin(config: Config, execution: Execution = 'eager') {
  const specs = runVariables(config);
  const weights = denseWeights(specs);
  for (const { name, shape } of specs)
    if (!weights.has(name)) weights.set(name, { shape, data: new Float32Array(size(shape)) });
  return createTrainer(engine, { config, values: weights, execution, sheetImages: 4 });
}

for (const [name, wanted] of Object.entries(reference.steps)) {
  for (const execution of ['eager', 'traced'] as const) {
    t.test(`${name}, ${execution}: losses, gradients and weights after a step`, async (t) => {
      const trainer = begin(denseConfig(name), execution);
      const report = trainer.step(0, densePixels);
      for (const [key, value] of Object.entries(wanted.losses)) {
        t.ok(Math.abs(report[key] - value) < 1e-5, `${key} is ${report[key]}, not ${value}`);
      }
      t.same(
        Object.keys(report).filter((key) => key.startsWith('loss_')),
        Object.keys(wanted.losses),
      );
      const after = trainer.values();
      const trained = [...after.keys()].filter((key) => kernel.test(key));
      t.same(trained.sort(), Object.keys(wanted.weights).sort());
      const before = denseWeights(runVariables(denseConfig(name)));
      for (const key of trained) {
        // Adam's first moment is (1 − β1) times the gradient with its decay.
        const moment = far(after.get(`adam/m/${key}`)!.data, wanted.moments[key]);
        t.ok(moment < 1e-4, `gradient of ${key}: ${moment}`);
        // In units of the rate; but for gradients so small that it matters where epsilon is added.
        const moved = (values: ArrayLike<number>) => {
          const all = Array.from(before.get(key)!.data, (value, i) => (values[i] - value) / rate);
          return all.filter((_, i) => Math.abs(wanted.moments[key][i]) > 1e-4);
        };
        const update = far(moved(after.get(key)!.data), moved(wanted.weights[key]));
        t.ok(update < 3e-3, `update of ${key}: ${update}`);
      }
      trainer.dispose();
    });
  }
}

/** Gradients without their decay, by module: which ones are other than 0. */
function reached(config: Config): Record<string, boolean> {
  const trainer = begin(config);
  trainer.step(0, densePixels);
  const values = trainer.values();
  const result: Record<string, boolean> = {};
  for (const [name, { data }] of values) {
    if (!kernel.test(name)) continue;
    const gradient = values.get(`adam/m/${name}`)!.data.map((value) => value / (1 - beta1));
    const before = denseWeights(runVariables(config)).get(name)!.data;
    const module = name.split('/')[0];
    const own = gradient.some((value, i) => Math.abs(value - config.train.weightDecay * before[i]) > 1e-6);
    t.ok(data.length > 0);
    result[module] = (result[module] ?? true) && own;
  }
  trainer.dispose();
  return result;
}

t.test('every loss reaches the modules that it trains, whole, and there is no D where none is trained', async (t) => {
  const all = { discriminator: true, encoder: true, generator: true };
  for (const name of ['bigan-mnist', 'latent-regressor-mnist', 'joint-latent-regressor-mnist'])
    t.same(reached(denseConfig(name)), all, name);
  for (const name of ['autoencoder-l1-mnist', 'autoencoder-l2-mnist'])
    t.same(reached(denseConfig(name)), { encoder: true, generator: true }, name);
});

t.test("G feels E's weights in the joint regressor alone", async (t) => {
  const generatorMoments = (name: string, scaled: boolean) => {
    const config = denseConfig(name);
    const values = denseWeights(runVariables(config));
    const { data } = values.get('encoder/output/kernel')!;
    if (scaled) data.forEach((value, i) => (data[i] = 3 * value));
    for (const { name: other, shape } of runVariables(config)) {
      if (!values.has(other)) values.set(other, { shape, data: new Float32Array(size(shape)) });
    }
    const trainer = createTrainer(engine, { config, values, execution: 'eager', sheetImages: 4 });
    trainer.step(0, densePixels);
    const moments = copy(trainer.values());
    trainer.dispose();
    return moments;
  };
  const ofG = /^adam\/m\/generator\//;
  const differing = (name: string) => changed(generatorMoments(name, false), generatorMoments(name, true), ofG).length;
  t.equal(differing('latent-regressor-mnist'), 0);
  t.equal(differing('joint-latent-regressor-mnist'), 4);
});

t.test('simultaneous updates see the same D, alternating ones the new D', async (t) => {
  // A D that moves far in one update: what G and E learn from depends on whether it has moved.
  const fast = 'train.learningRate.discriminator=0.5';
  const moments = (updates: string, ...more: string[]) => {
    const trainer = begin(denseConfig('bigan-mnist', `train.updates=${updates}`, ...more));
    trainer.step(0, densePixels);
    const values = copy(trainer.values());
    trainer.dispose();
    return values;
  };
  const ofEG = /^adam\/m\/(generator|encoder)\//;
  t.equal(changed(moments('simultaneous'), moments('simultaneous', fast), ofEG).length, 0);
  t.equal(changed(moments('alternating'), moments('alternating', fast), ofEG).length, 7);
  const [one, other] = [moments('simultaneous'), moments('alternating')];
  t.same(changed(one, other, /^adam\/m\/discriminator\//), [], 'D learns the same');
});

t.test('simultaneous updates of the residual networks: op by op as traced', async (t) => {
  const c = tinyConfig('train.updates=simultaneous', 'train.weightDecay=1e-4');
  const [eager, traced] = (['eager', 'traced'] as const).map((execution) => train(c, 2, execution));
  eager.reports.forEach((report, i) => {
    for (const [name, value] of Object.entries(report)) {
      if (Math.abs(traced.reports[i][name] - value) > 2e-3)
        t.fail(`step ${i}: ${name} is ${traced.reports[i][name]}, not ${value}`);
    }
  });
  t.ok(eager.reports.every((report) => Object.values(report).every(Number.isFinite)));
});

t.test('baselines of residual networks train too', async (t) => {
  const common = [
    'train.updates=simultaneous',
    'model.encoder.stochastic=false',
    'model.encoder.calibrateSigma=null',
    'model.discriminator.scores=x',
  ];
  const { reports, before, after } = train(tinyConfig(...common, 'train.method=joint-latent-regressor'), 2);
  t.ok(reports.every((report) => Object.values(report).every(Number.isFinite)));
  t.ok(changed(before, after, /^encoder\/.*kernel$/).length > 10);
});

t.test('weight decay is 0 unless asked for, and pulls by itself', async (t) => {
  const [none, some] = [0, decay].map((value) => {
    const trainer = begin(denseConfig('bigan-mnist', `train.weightDecay=${value}`));
    trainer.step(0, densePixels);
    const values = trainer.values();
    trainer.dispose();
    return values;
  });
  for (const [name, { data }] of denseWeights(runVariables(denseConfig('bigan-mnist')))) {
    const [a, b] = [none, some].map((values) => values.get(`adam/m/${name}`)!.data);
    const wanted = Array.from(data, (value) => (1 - beta1) * decay * value);
    t.ok(
      far(
        Array.from(b, (value, i) => value - a[i]),
        wanted,
      ) < 1e-3,
      name,
    );
  }
});

t.test('with a decay of 0 averages are the weights, once they are asked for', async (t) => {
  for (const execution of ['eager', 'traced'] as const) {
    const c = denseConfig('bigan-mnist');
    const trainer = createTrainer(engine, {
      config: c,
      values: initialValues(engine, c, densePixels),
      execution,
      sheetImages: 4,
    });
    trainer.step(0, densePixels);
    await trainer.takeStatistics(() => [{ images: densePixels }, { images: densePixels }]);
    trainer.step(1, densePixels);
    await trainer.takeStatistics(() => [{ images: densePixels }, { images: densePixels }]);
    const values = copy(trainer.values());
    const averages = [...values.keys()].filter((name) => /^ema\/.*kernel$/.test(name));
    t.equal(averages.length, 7);
    for (const name of averages) t.same(values.get(name), values.get(name.slice(4)), name);
    trainer.dispose();
  }
});

t.test("an autoencoder's G has statistics of E's latents, not of the prior's", async (t) => {
  const trainer = begin(denseConfig('autoencoder-l2-mnist'), 'traced');
  await trainer.takeStatistics(() => [{ images: densePixels }, { images: densePixels }]);
  // The same batch twice, so that inference is what training sees, but for the unbiased variance of six images.
  const { z_mean: z } = trainer.model.encode(densePixels.subarray(0, 64), 4);
  const norms = copy(trainer.values()).get('ema/generator/batch_norm0/standing_mean')!;
  const first = denseWeights(runVariables(denseConfig('autoencoder-l2-mnist'))).get('generator/linear0/kernel')!.data;
  const rest = trainer.model.encode(densePixels.subarray(64), 2).z_mean;
  const all = [...z, ...rest];
  const wanted = norms.map((_, j) => {
    let sum = 0;
    for (let i = 0; i < 6; i++) for (let k = 0; k < 3; k++) sum += all[i * 3 + k] * first[k * 5 + j];
    return sum / 6;
  });
  t.ok(far(norms, wanted) < 1e-4, `${norms}, not ${wanted}`);
  trainer.dispose();
});
