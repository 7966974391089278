import t from 'tap';
import { readFileSync } from 'node:fs';
import { size } from '../../../src/core/backend/tensor.js';
import { modelVariables, parameterCounts } from '../../../src/core/model/bigbigan.js';
import { presetNames } from '../../../src/core/train/presets.js';
import { runVariables } from '../../../src/core/train/initial.js';
import { resolveConfig } from '../../../src/core/train/resolve.js';
import { fixture } from '../../paths.js';

const json = (name: string) => JSON.parse(readFileSync(fixture(`model/${name}`), 'utf8')) as Record<string, never>;
const names = (...settings: string[]) =>
  modelVariables(resolveConfig({ preset: 'tiny', settings }).model)
    .filter(({ trainable }) => trainable)
    .map(({ name }) => name);

t.test('counts of the presets', async (t) => {
  const counted = json('parameters.json');
  t.same(Object.keys(counted).sort(), [...presetNames].sort());
  for (const [preset, wanted] of Object.entries(counted)) {
    t.same(parameterCounts(modelVariables(resolveConfig({ preset }).model)), wanted, preset);
  }
});

t.test('every variable of a run has its name and shape, and no two share one', async (t) => {
  const specs = runVariables(resolveConfig({ preset: 'tiny' }));
  t.same(Object.fromEntries(specs.map(({ name, shape }) => [name, shape])), json('tiny.json'));
  t.equal(new Set(specs.map(({ name }) => name)).size, specs.length);
});

t.test('at the size of the paper, the published counts', async (t) => {
  const { model } = resolveConfig({
    preset: 'mnist',
    settings: [
      'model.resolution=64',
      'model.channels=3',
      'model.latent=120',
      'model.generator.channels=96',
      'model.generator.multipliers=16,16,8,4,2',
      'model.discriminator.channels=96',
      'model.discriminator.multipliers=1,2,4,8,16',
      'model.discriminator.hidden=2048',
      'model.discriminator.blocks=4',
      'model.discriminator.joint=pooled',
      'model.encoder.channels=64',
      'model.encoder.multipliers=4,8,16,32',
      'model.encoder.units=3,4,6,3',
      'model.encoder.bottleneck=4',
      'model.encoder.hidden=4096',
      'model.encoder.blocks=2',
    ],
  });
  const specs = modelVariables(model).filter(({ trainable }) => trainable);
  const count = (prefix: RegExp) => specs.filter(({ name }) => prefix.test(name)).reduce((sum, { shape }) => sum + size(shape), 0);
  // BigGAN's G at 64 pixels, less the shared embedding [1, 128] and its rows in 8 conditional norms (gain and offset).
  const normChannels = 96 * (16 + 16 + 8 + 4 + (16 + 8 + 4 + 2));
  t.equal(count(/^generator/), 70_065_155 - 128 - 2 * 128 * normChannels);
  // F with its score.
  t.equal(count(/^discriminator\/(F|score_x\/)/), 43_964_449);
  // H and J with their scores; the second terms are the projections on the first skip.
  t.equal(count(/^discriminator\/(H|score_z)/), 29_624_321 + 120 * 2048);
  t.equal(count(/^discriminator\/(J|score_xz)/), 36_718_593 + (1536 + 2048) * 2048);
  // E's head.
  t.equal(count(/^encoder\/(head|output)/), 59_719_920 + 2048 * 4096);
});

t.test('terms that are dropped have no parameters', async (t) => {
  const all = names();
  const without = (scores: string) => all.filter((name) => !names(`model.discriminator.scores=${scores}`).includes(name));
  t.same(without('xz,z'), ['discriminator/score_x/kernel', 'discriminator/score_x/bias']);
  t.same(without('xz,x'), ['discriminator/score_z/kernel', 'discriminator/score_z/bias']);
  t.equal(without('xz').length, 4);
});

t.test('settings that add or remove parameters', async (t) => {
  const shapes = (...settings: string[]) =>
    new Map(modelVariables(resolveConfig({ preset: 'tiny', settings }).model).map(({ name, shape }) => [name, shape]));
  t.same(shapes('model.encoder.stochastic=false').get('encoder/output/kernel'), [16, 8]);
  t.same(shapes('model.discriminator.joint=map').get('discriminator/J/block0/linear0/kernel'), [4 * 4 * 8 + 16, 16]);
  t.same(shapes('model.channels=3').get('generator/to_image/kernel'), [3, 3, 4, 3]);
  t.notOk(shapes('model.discriminator.latentSpectralNorm=false').has('discriminator/H/block0/linear0/u'));
  t.notOk([...shapes().keys()].some((name) => /^encoder.*\/u$/.test(name)), 'no spectral norm in E');
});
