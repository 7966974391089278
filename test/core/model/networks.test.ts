/** G, D and E: what goes in and out, and what depends on what. */
import t from 'tap';
import { constant } from '../../../src/core/backend/executor.js';
import { gradients } from '../../../src/core/backend/gradient.js';
import { add, addScalar, avgPool2, mean, neg, sum } from '../../../src/core/backend/ops.js';
import type { Tensor } from '../../../src/core/backend/tensor.js';
import type { PassOptions } from '../../../src/core/layers/scope.js';
import { modelPass, parametersOf } from '../../../src/core/model/bigbigan.js';
import { imageResolution } from '../../../src/core/model/config.js';
import { discriminate } from '../../../src/core/model/discriminator.js';
import { encode, sampleLatent } from '../../../src/core/model/encoder.js';
import { generate } from '../../../src/core/model/generator.js';
import { config, engine, noise, variablesOf } from './tiny.js';

const { model } = config();
const variables = variablesOf(model);
const trained = { weights: 'trained', statistics: 'batch' } as const;
const pass = (options: Partial<PassOptions> = {}) => modelPass(model, variables, options);
const tensor = (values: Float32Array, ...shape: number[]) => constant(values.slice(), shape);
const images = (n: number, seed = 1) => tensor(noise(n * 32 * 32, seed), n, 32, 32, 1);
const latents = (n: number, seed = 1) => tensor(noise(n * 8, seed), n, 8);
const read = (make: () => Tensor) => engine.scope(() => Array.from(engine.read(make())));
const difference = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

t.test('G: latents to images in [−1, 1]', async (t) => {
  for (const options of [trained, {}]) {
    const shape = engine.scope(() => generate(pass(options), latents(3), model).shape);
    t.same(shape, [3, 32, 32, 1]);
    const values = read(() => generate(pass(options), latents(3), model));
    t.ok(values.every((value) => Math.abs(value) <= 1));
    t.ok(Math.max(...values) - Math.min(...values) > 0.01, 'not one flat colour');
  }
});

t.test('G: every chunk of z reaches the image, and the image depends on nothing else', async (t) => {
  const z = noise(8);
  const image = (latent: Float32Array) => read(() => generate(pass(), tensor(latent, 1, 8), model));
  const before = image(z);
  t.same(image(z), before);
  for (let chunk = 0; chunk < 4; chunk++) {
    const changed = z.slice();
    changed[2 * chunk] += 1;
    t.ok(difference(image(changed), before) > 1e-4, `chunk ${chunk}`);
  }
});

t.test('G and E: with standing statistics a row is the same in any company', async (t) => {
  const pair = (a: Float32Array, b: Float32Array, n: number) =>
    Float32Array.from([...a.subarray(0, n), ...b.subarray(0, n)]);
  const made = [2, 3].map((seed) =>
    read(() => generate(pass(), tensor(pair(noise(8), noise(8, seed), 8), 2, 8), model)).slice(0, 1024),
  );
  t.same(made[0], made[1]);
  const encoded = [2, 3].map((seed) => {
    const x = pair(noise(1024), noise(1024, seed), 1024);
    return read(() => encode(pass(), tensor(x, 2, 32, 32, 1), model).mean).slice(0, 8);
  });
  t.same(encoded[0], encoded[1]);
  // In training they are not, or batch norm would do nothing.
  const training = [2, 3].map((seed) =>
    read(() => generate(pass(trained), tensor(pair(noise(8), noise(8, seed), 8), 2, 8), model)).slice(0, 1024),
  );
  t.ok(difference(training[0], training[1]) > 1e-4);
});

t.test('inference reads averages, training the weights', async (t) => {
  const store = variablesOf(model);
  const image = (weights: 'average' | 'trained') =>
    read(() => generate(modelPass(model, store, { weights }), latents(1), model));
  const [average, weights] = [image('average'), image('trained')];
  store.set('ema/generator/to_image/bias', Float32Array.of(0.5));
  t.ok(difference(image('average'), average) > 1e-3);
  t.same(image('trained'), weights);
  store.dispose();
});

t.test('E: pooled features, their CReLU, μ and σ above 0', async (t) => {
  const encoding = engine.scope(() => {
    const { avepool, bnCrelu, mean: mu, std } = encode(pass(trained), images(4), model);
    t.same(
      [avepool.shape, bnCrelu.shape, mu.shape, std!.shape],
      [
        [4, 16],
        [4, 32],
        [4, 8],
        [4, 8],
      ],
    );
    return [avepool, bnCrelu, mu, std!].map((x) => Array.from(engine.read(x)));
  });
  const [avepool, crelu, , std] = encoding;
  t.ok(
    avepool.every((value) => value >= 0),
    'after a ReLU',
  );
  t.ok(std.every((value) => value > 0));
  // h = (a − mean) / √(variance + 1e-4) over the batch, then [ReLU(h), ReLU(−h)].
  for (let j = 0; j < 16; j++) {
    const column = [0, 1, 2, 3].map((i) => avepool[i * 16 + j]);
    const centre = column.reduce((a, b) => a + b) / 4;
    const variance = column.reduce((sum, a) => sum + (a - centre) ** 2, 0) / 4;
    column.forEach((a, i) => {
      const h = (a - centre) / Math.sqrt(variance + 1e-4);
      if (Math.abs(crelu[i * 32 + j] - Math.max(0, h)) > 1e-4) t.fail(`row ${i}, feature ${j}`);
      if (Math.abs(crelu[i * 32 + 16 + j] - Math.max(0, -h)) > 1e-4) t.fail(`row ${i}, feature ${16 + j}`);
    });
  }
});

t.test('E: σ is the softplus of the second half of the output', async (t) => {
  const store = variablesOf(model);
  store.set('encoder/output/kernel', new Float32Array(16 * 16));
  store.set(
    'encoder/output/bias',
    Float32Array.from({ length: 16 }, (_, i) => (i < 8 ? i : i - 12)),
  );
  const [mu, std] = engine.scope(() => {
    const encoding = encode(modelPass(model, store, trained), images(2), model);
    return [encoding.mean, encoding.std!].map((x) => Array.from(engine.read(x)).slice(0, 8));
  });
  t.same(mu, [0, 1, 2, 3, 4, 5, 6, 7]);
  std.forEach((value, i) => t.ok(Math.abs(value - Math.log1p(Math.exp(i - 4))) < 1e-6));
  store.dispose();
});

t.test('z = μ + ε·σ', async (t) => {
  const two = (a: number, b: number) => constant(Float32Array.of(a, b), [1, 2]);
  const encoding = () => ({ avepool: two(0, 0), bnCrelu: two(0, 0), mean: two(1, 2), std: two(3, 0.5) });
  t.same(
    read(() => sampleLatent(encoding(), two(-1, 4))),
    [-2, 4],
  );
  t.same(
    read(() => sampleLatent({ ...encoding(), std: undefined }, two(-1, 4))),
    [1, 2],
  );
});

t.test('D: s_x sees the image alone, s_z the latent alone, s_xz both', async (t) => {
  const scores = (x: number, z: number) =>
    engine.scope(() => {
      const all = discriminate(pass(trained), { images: [images(2, x)], latents: latents(2, z) }, model);
      t.same(
        Object.values(all).map(({ shape }) => shape),
        [[2], [2], [2]],
      );
      return Object.fromEntries(Object.entries(all).map(([term, score]) => [term, Array.from(engine.read(score))]));
    });
  const [base, otherImage, otherLatent] = [scores(1, 1), scores(2, 1), scores(1, 2)];
  t.same(Object.keys(base), ['xz', 'x', 'z']);
  t.same(otherImage.z, base.z);
  t.same(otherLatent.x, base.x);
  for (const [a, b] of [
    [otherImage.x, base.x],
    [otherLatent.z, base.z],
    [otherImage.xz, base.xz],
    [otherLatent.xz, base.xz],
  ]) {
    t.ok(difference(a, b) > 1e-6);
  }
});

t.test('D: a pair is judged by itself', async (t) => {
  const score = (rows: number[][]) =>
    engine.scope(() => {
      const x = Float32Array.from(rows.flatMap(([seed]) => [...noise(1024, seed)]));
      const z = Float32Array.from(rows.flatMap(([, seed]) => [...noise(8, seed)]));
      return engine.read(
        discriminate(
          pass(trained),
          { images: [tensor(x, rows.length, 32, 32, 1)], latents: tensor(z, rows.length, 8) },
          model,
        ).xz!,
      )[0];
    });
  t.ok(
    Math.abs(
      score([[1, 1]]) -
        score([
          [1, 1],
          [4, 7],
          [3, 2],
        ]),
    ) < 1e-5,
  );
});

/** The gradient of each network's parameters by `loss` reaches all of them. */
for (const [name, settings] of Object.entries({
  'as it is': [],
  'joint term alone': ['model.discriminator.scores=xz'],
  'deterministic E': ['model.encoder.stochastic=false', 'model.encoder.calibrateSigma=null'],
  'J on the map': ['model.discriminator.joint=map'],
  'deeper MLPs, no spectral norm in them': [
    'model.discriminator.blocks=2',
    'model.encoder.blocks=2',
    'model.discriminator.latentSpectralNorm=false',
  ],
  'without MLPs': ['model.discriminator.blocks=0', 'model.encoder.blocks=0'],
  'three labels': ['model.classes=3', 'model.generator.embedding=5'],
  'a single label, embedded': ['model.generator.embedding=5'],
  'non-local blocks': [
    'model.generator.channels=8',
    'model.discriminator.channels=8',
    'model.generator.attention=16',
    'model.discriminator.attention=8',
  ],
  'uniform prior': ['model.prior=uniform', 'model.encoder.stochastic=false'],
  'E sees four times as many pixels': ['model.encoder.resolution=64', 'model.encoder.stem.pool=true'],
  RevNet: ['model.encoder.kind=revnet', 'model.encoder.channels=16', 'model.encoder.units=2,1,3'],
  'three channels, 16 pixels': [
    'model.channels=3',
    'model.resolution=16',
    'model.encoder.resolution=16',
    'model.generator.multipliers=2,1',
    'model.generator.multipliers=2,2,1',
    'model.latent=6',
  ],
})) {
  t.test(`every parameter of G, D and E gets a gradient: ${name}`, async (t) => {
    const other = config(...settings).model;
    const store = variablesOf(other);
    // At its initial 0 the gate of a non-local block lets no gradient through to the rest of it.
    for (const { name } of store.specs.values()) if (name.endsWith('/gate')) store.set(name, Float32Array.of(0.5));
    const { resolution: r, channels: c, latent } = other;
    const flat = engine.scope(() => {
      const passes = [0, 1, 2].map(() => modelPass(other, store, { ...trained, trains: true }));
      const side = imageResolution(other);
      const shrink = (image: Tensor): Tensor => (image.shape[1] > r ? shrink(avgPool2(image)) : image);
      const labels = other.classes > 1 ? constant(Int32Array.of(0, 1, 2, 0), [4]) : undefined;
      const x = tensor(noise(4 * side * side * c), 4, side, side, c);
      const z = tensor(noise(4 * latent, 2), 4, latent);
      const encoded = sampleLatent(encode(passes[1], x, other), tensor(noise(4 * latent, 3), 4, latent));
      const judge = (image: Tensor, latents: Tensor) =>
        discriminate(passes[2], { images: [shrink(image)], latents, labels }, other);
      const scores = [judge(x, encoded), judge(generate(passes[0], z, other, labels), z)];
      // Another weight for each score, lest gradients cancel.
      const loss = scores
        .flatMap((s, side) =>
          Object.values(s).map((score, i) => ((side + i) % 2 ? neg(sum(addScalar(score, i))) : mean(score))),
        )
        .reduce(add);
      const all = passes.map(parametersOf);
      const names = all.flatMap((p) => p.names);
      const found = gradients(
        loss,
        all.flatMap((p) => p.tensors),
        names,
      );
      const declared = [...store.specs.values()].filter((spec) => spec.trainable).map((spec) => spec.name);
      t.same([...names].sort(), declared.sort());
      return names.filter((_, i) => {
        const values = engine.read(found[i]);
        return !values.some((value) => value !== 0) || values.some((value) => !Number.isFinite(value));
      });
    });
    t.same(flat, []);
    store.dispose();
  });
}
