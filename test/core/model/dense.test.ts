/** BiGAN's perceptrons against PyTorch (fixtures/model/make-dense.py). */
import t from 'tap';
import { constant } from '../../../src/core/backend/executor.js';
import { initialValue } from '../../../src/core/backend/initialise.js';
import { size, type Tensor } from '../../../src/core/backend/tensor.js';
import { allocate } from '../../../src/core/backend/variables.js';
import { preset } from '../../../src/core/config/presets.js';
import { modelPass, modelVariables, parameterCounts } from '../../../src/core/model/bigbigan.js';
import { discriminate } from '../../../src/core/model/discriminator.js';
import { encode } from '../../../src/core/model/encoder.js';
import { generate } from '../../../src/core/model/generator.js';
import { fromPixels } from '../../../src/core/model/pixels.js';
import { BATCH, denseConfig, densePixels, denseWeights, far, reference } from './dense-reference.js';
import { engine } from './tiny.js';

function values(name: string, make: (x: Tensor, z: Tensor, pass: ReturnType<typeof modelPass>) => Tensor): number[] {
  const { model } = denseConfig(name);
  const specs = modelVariables(model);
  const weights = denseWeights(specs);
  const variables = allocate(engine, specs, (spec) => {
    const data = weights.get(spec.name)?.data ?? new Float32Array(size(spec.shape));
    return constant(data.slice(), spec.shape);
  });
  const result = engine.scope(() => {
    const x = fromPixels(constant(densePixels.slice(), [BATCH, 4, 4, 1]));
    const z = constant(Float32Array.from(reference.z), [BATCH, 3]);
    return Array.from(
      engine.read(make(x, z, modelPass(model, variables, { weights: 'trained', statistics: 'batch' }))),
    );
  });
  variables.dispose();
  return result;
}

const { model } = denseConfig('bigan-mnist');
const images = denseConfig('latent-regressor-mnist').model;
const forward = { ...reference.forward };
const close = (found: number[], wanted: number[]) => {
  const distance = far(found, wanted);
  t.ok(distance < 1e-5, `${distance}`);
};

t.test('G: two layers, z again at the second, images in [−1, 1]', async () => {
  close(
    values('bigan-mnist', (_, z, pass) => generate(pass, z, model)),
    forward.images,
  );
});

t.test('E: features, their CReLU, and z', async () => {
  close(
    values('bigan-mnist', (x, _, pass) => encode(pass, x, model).avepool),
    forward.avepool,
  );
  close(
    values('bigan-mnist', (x, _, pass) => encode(pass, x, model).bnCrelu),
    forward.bn_crelu,
  );
  close(
    values('bigan-mnist', (x, _, pass) => encode(pass, x, model).mean),
    forward.mean,
  );
});

t.test('D: both kinds of pair, each batch normalised by itself', async () => {
  const judge = (x: Tensor, z: Tensor, pass: ReturnType<typeof modelPass>) => {
    const latents = [encode(pass, x, model).mean, z].map((part) => Array.from(engine.read(part)));
    const all = constant(Float32Array.from(latents.flat()), [2 * BATCH, 3]);
    return discriminate(pass, { images: [x, generate(pass, z, model)], latents: all }, model).xz!;
  };
  close(values('bigan-mnist', judge), forward.scores);
});

t.test('D of images alone', async () => {
  const judge = (x: Tensor, z: Tensor, pass: ReturnType<typeof modelPass>) =>
    discriminate(pass, { images: [x, generate(pass, z, images)] }, images).x!;
  close(values('latent-regressor-mnist', judge), forward.scores_of_images);
});

t.test('parameters of the presets, and their start', async (t) => {
  const counts = (name: string) => parameterCounts(modelVariables(preset(name).model));
  const [inputs, hidden, latent] = [784, 1024, 50];
  const encoder = inputs * hidden + hidden * hidden + hidden * latent;
  const generator = 2 * latent * hidden + hidden * hidden + hidden * inputs;
  const discriminator = inputs * hidden + hidden * hidden + hidden;
  t.same(counts('bigan-mnist'), { encoder, generator, discriminator: discriminator + latent * hidden });
  t.same(counts('latent-regressor-mnist'), { encoder, generator, discriminator });
  t.same(counts('joint-latent-regressor-mnist'), { encoder, generator, discriminator });
  for (const norm of ['l1', 'l2'])
    t.same(counts(`autoencoder-${norm}-mnist`), { encoder, generator, discriminator: 0 });

  for (const spec of modelVariables(preset('bigan-mnist').model).filter(({ trainable }) => trainable)) {
    const start = engine.scope(() => Array.from(engine.read(initialValue(spec, 0))));
    const mean = start.reduce((sum, value) => sum + value, 0) / start.length;
    const deviation = Math.sqrt(start.reduce((sum, value) => sum + (value - mean) ** 2, 0) / start.length);
    const wanted = spec.name === 'discriminator/score_xz/kernel' ? 0 : 0.02;
    t.ok(Math.abs(deviation - wanted) < 3e-4 && Math.abs(mean) < 3e-4, `${spec.name}: ${mean} ± ${deviation}`);
  }
});
