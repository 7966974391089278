import t from 'tap';
import { createMachine, type Execution } from '../../../src/core/backend/machine.js';
import type { VariableValues } from '../../../src/core/backend/variables.js';
import { modelVariables } from '../../../src/core/model/bigbigan.js';
import type { ModelConfig } from '../../../src/core/model/config.js';
import { encodeFunction, generateFunction } from '../../../src/core/model/functions.js';
import { inferenceModel } from '../../../src/core/model/inference.js';
import { config, engine, noise, pixels, valuesOf } from './tiny.js';

const { model } = config();
const images = pixels(50 * 1024);
const latents = noise(50 * 8);
const outputs = ['avepool', 'bn_crelu', 'z_mean', 'z_std'] as const;

interface Settings {
  weights?: 'average' | 'trained';
  execution?: Execution;
  precision?: 'float32' | 'bf16';
  values?: VariableValues;
  of?: ModelConfig;
}

function inference(
  batchSize: number,
  {
    weights = 'average',
    execution = 'traced',
    precision = 'float32',
    of = model,
    values = valuesOf(of),
  }: Settings = {},
) {
  const functions = {
    encode: encodeFunction(of, batchSize, weights),
    generate: generateFunction(of, batchSize, weights),
  };
  const machine = createMachine(engine, { execution, precision, specs: modelVariables(of), values, functions });
  return { ...inferenceModel(machine, of, batchSize), dispose: machine.dispose };
}

/** All rows, in batches of one size, the last of them smaller. */
function run(batchSize: number, settings: Settings = {}) {
  const { encode, generate, dispose } = inference(batchSize, settings);
  const rows: Record<string, number[]> = { avepool: [], bn_crelu: [], z_mean: [], z_std: [], generated: [] };
  for (let first = 0; first < 50; first += batchSize) {
    const count = Math.min(batchSize, 50 - first);
    const encoded = encode(images.subarray(first * 1024, (first + count) * 1024), count);
    for (const name of outputs) rows[name].push(...encoded[name]);
    rows.generated.push(...generate(latents.subarray(first * 8, (first + count) * 8), count));
  }
  dispose();
  return rows;
}

const worst = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

t.test('rows do not depend on the batch size, nor on the padding of the last batch', async (t) => {
  const whole = run(50);
  const { widths } = inference(50);
  t.same(widths, { avepool: 16, bn_crelu: 32, z_mean: 8, z_std: 8 });
  for (const name of outputs) t.equal(whole[name].length, 50 * widths[name], name);
  t.equal(whole.generated.length, 50 * 1024);
  for (const batchSize of [1, 3, 7]) {
    const parts = run(batchSize);
    for (const name of outputs) {
      t.ok(worst(whole[name], parts[name]) < 1e-5, `${name} by ${batchSize}`);
    }
    t.ok(
      whole.generated.every((value, i) => Math.abs(value - parts.generated[i]) <= 1),
      `images by ${batchSize}`,
    );
  }
  // Within one batch size a row is the same to the last bit, at any place and beside any other.
  const { encode } = inference(7);
  const alone = encode(images.subarray(0, 1024), 1);
  t.same(alone.z_mean, encode(images.subarray(0, 7 * 1024), 7).z_mean.slice(0, 8));
});

t.test('an image of its own for each latent, in their order', async (t) => {
  const { generate } = inference(10);
  const [a, b] = [
    generate(latents.subarray(0, 16), 2),
    generate(Float32Array.from([...latents.subarray(8, 16), ...latents.subarray(0, 8)]), 2),
  ];
  t.same(a.slice(0, 1024), b.slice(1024));
  t.same(a.slice(1024), b.slice(0, 1024));
  t.not(String(a.slice(0, 1024)), String(a.slice(1024)));
});

t.test('op by op, and as one graph', async (t) => {
  const [eager, traced] = (['eager', 'traced'] as const).map((execution) => run(7, { execution }));
  for (const name of outputs) t.ok(worst(eager[name], traced[name]) < 1e-5, name);
  t.ok(worst(eager.generated, traced.generated) <= 1);
});

t.test('in bf16 nearly the same', async (t) => {
  const [exact, half] = (['float32', 'bf16'] as const).map((precision) => run(25, { precision }));
  for (const name of outputs) {
    const scale = Math.max(...exact[name].map(Math.abs));
    t.ok(worst(exact[name], half[name]) < 0.1 * scale, `${name}: ${worst(exact[name], half[name])} of ${scale}`);
  }
  const mean =
    exact.generated.reduce((sum, value, i) => sum + Math.abs(value - half.generated[i]), 0) / exact.generated.length;
  t.ok(mean < 3, `pixels differ by ${mean}`);
});

t.test('averaged and trained weights', async (t) => {
  const means = (values: VariableValues) =>
    (['average', 'trained'] as const).map((weights) => {
      const { encode, dispose } = inference(1, { weights, values });
      const { z_mean: mean } = encode(images.subarray(0, 1024), 1);
      dispose();
      return mean;
    });
  const values = valuesOf(model);
  const before = means(values);
  values.set('ema/encoder/output/bias', { shape: [16], data: new Float32Array(16).fill(3) });
  const after = means(values);
  t.ok(after[0].every((value, i) => Math.abs(value - before[0][i] - 3) < 1e-5));
  t.same(after[1], before[1]);
});

t.test('two models at once do not share their state', async (t) => {
  const values = valuesOf(model);
  const one = inference(2, { values });
  const first = one.encode(images.subarray(0, 1024), 1).z_mean;
  const two = inference(2, {
    values: new Map(values).set('ema/encoder/output/bias', { shape: [16], data: new Float32Array(16).fill(3) }),
  });
  t.ok(Math.abs(two.encode(images.subarray(0, 1024), 1).z_mean[0] - first[0]) > 1);
  t.same(one.encode(images.subarray(0, 1024), 1).z_mean, first);
  one.dispose();
  t.ok(two.encode(images.subarray(0, 1024), 1).z_mean.every(Number.isFinite));
  two.dispose();
});

t.test('a deterministic E has σ = 0', async (t) => {
  const of = config('model.encoder.stochastic=false', 'model.encoder.calibrateSigma=null').model;
  const { z_mean: mean, z_std: std } = inference(3, { of }).encode(images.subarray(0, 2048), 2);
  t.equal(mean.length, 16);
  t.same(Array.from(std), new Array(16).fill(0));
});

t.test('more rows than a batch holds are refused, and nothing leaks', async (t) => {
  const { encode, generate } = inference(2);
  t.throws(() => encode(images.subarray(0, 3 * 1024), 3), RangeError);
  t.throws(() => generate(latents.subarray(0, 24), 3), RangeError);
  const before = engine.alive();
  for (let i = 0; i < 5; i++) {
    encode(images.subarray(0, 1024), 1);
    generate(latents.subarray(0, 8), 1);
  }
  t.equal(engine.alive(), before);
});
