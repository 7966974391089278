/** Steps in microbatches against steps on whole batches. */
import t from 'tap';
import { createMachine, type Execution } from '../../../../src/core/backend/machine.js';
import type { VariableValues } from '../../../../src/core/backend/variables.js';
import type { Config } from '../../../../src/core/config/config.js';
import { resolveConfig } from '../../../../src/core/config/resolve.js';
import { estimateRun } from '../../../../src/core/train/estimate.js';
import { initialValues, runVariables } from '../../../../src/core/train/initial.js';
import { accumulators, microbatchFunctions, runMicrobatches } from '../../../../src/core/train/step/microbatch.js';
import { reportedNames, stepFunction, updates } from '../../../../src/core/train/step/step.js';
import { createTrainer } from '../../../../src/core/train/trainer.js';
import { engine, pixels } from '../../model/tiny.js';
import { images, start } from '../runs.js';

const FROZEN = ['train.learningRate.generator=0', 'train.learningRate.encoder=0', 'train.learningRate.discriminator=0'];
const configOf = (preset: string, microbatch: number | null, ...settings: string[]) =>
  resolveConfig({
    preset,
    precision: 'float32',
    settings: [...FROZEN, 'train.batchSize=12', `train.microbatch=${microbatch}`, ...settings],
  });

/** Batch norm's statistics neither 0 nor 1. */
function startOf(config: Config): VariableValues {
  const values = initialValues(engine, config, pixels(16 * config.model.resolution ** 2, 9));
  for (const [name, { data }] of values) {
    if (name.endsWith('standing_mean')) data.fill(0.1);
    if (name.endsWith('standing_variance')) data.fill(0.8);
  }
  return values;
}

/** What one step with these statistics reports and leaves, by functions as the trainer has them. */
function oneStep(config: Config, execution: Execution, statistics: 'standing' | 'batch') {
  const { train, model } = config;
  const split = train.microbatch !== null;
  const specs = runVariables(config);
  const functions = split ? microbatchFunctions(config, statistics) : { step: stepFunction(config, statistics) };
  const machine = createMachine<string>(engine, {
    execution,
    precision: 'float32',
    specs,
    values: startOf(config),
    scratch: split ? accumulators(specs) : [],
    functions,
  });
  const n = train.batchSize * train.discriminatorSteps;
  const scalars = updates(config).flatMap(({ name }) => [`${name}_rate`, `${name}_beta1_power`, `${name}_beta2_power`]);
  const inputs = {
    images: pixels(n * model.resolution ** 2, 3),
    ...(model.classes > 1 && { labels: Int32Array.from({ length: n }, (_, i) => (i * 5) % model.classes) }),
    step: Int32Array.of(7),
    ...Object.fromEntries(scalars.map((name) => [name, Float32Array.of(name.endsWith('rate') ? 0 : 0.5)])),
    average_remainder: Float32Array.of(0.5),
  };
  const report = split
    ? runMicrobatches(machine.call, config, inputs).report
    : Object.fromEntries([...machine.call('step', inputs).report].map((value, i) => [reportedNames(config)[i], value]));
  const after = machine.values();
  machine.dispose();
  return { report, after };
}

const norm = (data: Float32Array) => Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0));

/**
 * Relative differences of what Adam has been given: over all parameters of each module, and the largest of a single
 * one.
 */
function gradientDifferences(a: VariableValues, b: VariableValues) {
  // Rates of 0 leave the weights as they are, and the moments say which gradients there were. Those of the scores'
  // biases cancel but for rounding.
  const names = [...a.keys()].filter((name) => /^adam\/m\/(?!.*score_\w+\/bias)/.test(name));
  const parts = names.map((name) => {
    const [x, y] = [a.get(name)!.data, b.get(name)!.data];
    return { name, module: name.split('/')[2], norm: norm(x), difference: norm(x.map((value, i) => value - y[i])) };
  });
  const modules = [...new Set(parts.map(({ module }) => module))].map((module) => {
    const total = (key: 'norm' | 'difference') =>
      Math.hypot(...parts.filter((part) => part.module === module).map((part) => part[key]));
    return { name: module, relative: total('difference') / total('norm') };
  });
  const singles = parts.map(({ name, norm, difference }) => ({ name, relative: difference / norm }));
  return { modules, worst: singles.reduce((worst, next) => (next.relative > worst.relative ? next : worst)) };
}

for (const [preset, ...settings] of [
  ['tiny'],
  ['tiny', 'train.reuseForward=false', 'train.discriminatorSteps=2', 'train.flip=true'],
  [
    'tiny',
    'train.discriminatorSteps=2',
    'model.classes=3',
    'model.generator.embedding=4',
    'model.prior=uniform',
    'model.encoder.stochastic=false',
  ],
  ['tiny', 'model.encoder.kind=none', 'model.discriminator.scores=x'],
  ['tiny', 'train.updates=simultaneous', 'model.encoder.kind=revnet'],
  ['bigan-mnist'],
  ['latent-regressor-mnist'],
  ['joint-latent-regressor-mnist'],
  ['autoencoder-l1-mnist'],
]) {
  t.test(
    `gradients are those of the whole batch where batch norm's statistics are fixed: ${[preset, ...settings].join(' ')}`,
    async (t) => {
      const whole = oneStep(configOf(preset, null, ...settings), 'eager', 'standing');
      const ways =
        settings.length === 0
          ? ([
              ['eager', 4],
              ['traced', 2],
              ['traced', 6],
            ] as const)
          : ([['traced', 4]] as const);
      for (const [execution, size] of ways) {
        const split = oneStep(configOf(preset, size, ...settings), execution, 'standing');
        const { modules, worst } = gradientDifferences(whole.after, split.after);
        for (const { name, relative } of modules)
          t.ok(relative < 1e-5, `${execution}, ${size} at a time: ${name} differs by ${relative}`);
        // Sums of single biases lose more digits than that, however they are computed.
        t.ok(worst.relative < 1e-4, `${execution}, ${size} at a time: ${worst.name} differs by ${worst.relative}`);
        const near = ([name, { data }]: [string, { data: Float32Array }]) =>
          norm(data.map((value, i) => value - split.after.get(name)!.data[i])) <= 1e-6 * norm(data);
        t.same(
          [...whole.after].filter(([name]) => !name.startsWith('adam/')).filter((entry) => !near(entry)),
          [],
          'the rest of the state',
        );
        t.same(Object.keys(split.report), Object.keys(whole.report), 'in the order of the log');
        // The spread over a batch is not the mean of its parts' spreads.
        for (const [name, value] of Object.entries(whole.report)) {
          if (name !== 'encoder_mean_std')
            t.ok(
              Math.abs(split.report[name] - value) <= 1e-5 * Math.max(1, Math.abs(value)),
              `${name}: ${split.report[name]}, ${value}`,
            );
        }
        t.same([...split.after.keys()], [...whole.after.keys()], 'the sums are no part of the state');
      }
    },
  );
}

t.test('in training batch norm sees a microbatch, and power iteration moves on once for an update', async (t) => {
  const [whole, split] = [null, 6].map((size) => oneStep(configOf('tiny', size), 'eager', 'batch'));
  t.ok(gradientDifferences(whole.after, split.after).modules.every(({ relative }) => relative > 1e-2));
  for (const name of whole.after.keys())
    if (name.endsWith('/u')) t.same(split.after.get(name), whole.after.get(name), name);
});

t.test('sums begin anew with every step, and nothing is left behind', async (t) => {
  for (const execution of ['eager', 'traced'] as const) {
    const before = engine.alive();
    const trainer = start(configOf('tiny', 6), execution);
    const moments = [1, 2].map((round) => {
      const report = trainer.step(3, images(12, 4));
      t.ok(Object.values(report).every(Number.isFinite), `step ${round}`);
      return trainer.values().get('adam/m/encoder/output/kernel')!.data;
    });
    // Power iteration has moved on meanwhile; twice the sum would be twice as long.
    t.ok(Math.abs(norm(moments[1]) / norm(moments[0]) - 1) < 0.5, `${norm(moments[1])}, ${norm(moments[0])}`);
    const inUse = engine.alive();
    for (let i = 0; i < 10; i++) trainer.step(i, images(12, 4));
    await trainer.takeStatistics(() => Array.from({ length: 4 }, () => ({ images: images(6) })));
    t.equal(engine.alive(), inUse);
    trainer.dispose();
    t.equal(engine.alive(), before);
  }
});

t.test('gradients that are not finite are found', async (t) => {
  const config = configOf('tiny', 6);
  const values = startOf(config);
  values.get('encoder/output/kernel')!.data[0] = NaN;
  const trainer = createTrainer(engine, { config, values, execution: 'traced', sheetImages: 4 });
  t.ok(Object.keys(trainer.step(0, images(12))).includes('gradient_encoder'));
  trainer.dispose();
});

t.test('the estimate is of the memory of a microbatch and the arithmetic of the batch', async (t) => {
  const [whole, split, small] = [
    [48, null],
    [48, 6],
    [6, null],
  ].map(([batch, size]) => estimateRun(configOf('tiny', size, `train.batchSize=${batch}`, 'train.reuseForward=false')));
  t.ok(split.activation_bytes < 0.3 * whole.activation_bytes, `${split.activation_bytes} of ${whole.activation_bytes}`);
  t.ok(
    split.activation_bytes < 1.5 * small.activation_bytes,
    `${split.activation_bytes}, ${small.activation_bytes} for the small batch`,
  );
  t.ok(
    Math.abs(split.flops_per_step / whole.flops_per_step - 1) < 0.1,
    `${split.flops_per_step / whole.flops_per_step}`,
  );
  t.equal(split.state_bytes, whole.state_bytes);
  const parameters = Object.values(split.parameters).reduce((a, b) => a + b);
  t.same([whole.gradient_bytes, split.gradient_bytes], [0, 4 * parameters]);
});

t.test('sizes that cannot be', async (t) => {
  t.throws(() => configOf('tiny', 5), { message: 'train.microbatch is 5, which does not divide train.batchSize, 12' });
  t.throws(() => configOf('tiny', 24), {
    message: 'train.microbatch is 24, which does not divide train.batchSize, 12',
  });
  t.throws(() => configOf('tiny', 1), { message: 'expected a whole number of 2 or more for train.microbatch, got 1' });
  t.equal(configOf('tiny', 12).train.microbatch, null, 'one part is the whole');
});
