import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { size } from '../../../src/core/backend/tensor.js';
import { publishedPresets } from '../../../src/core/config/presets/imagenet.js';
import { presetNames } from '../../../src/core/config/presets.js';
import { resolveConfig } from '../../../src/core/config/resolve.js';
import { modelVariables, parameterCounts } from '../../../src/core/model/bigbigan.js';
import { runVariables } from '../../../src/core/train/initial.js';
import { fixture, root } from '../../paths.js';

const json = (name: string) => JSON.parse(readFileSync(fixture(`model/${name}`), 'utf8')) as Record<string, never>;
const names = (...settings: string[]) =>
  modelVariables(resolveConfig({ preset: 'tiny', settings }).model)
    .filter(({ trainable }) => trainable)
    .map(({ name }) => name);

t.test('counts of the small presets', async (t) => {
  for (const [preset, wanted] of Object.entries(json('parameters.json'))) {
    t.same(parameterCounts(modelVariables(resolveConfig({ preset }).model)), wanted, preset);
  }
});

t.test('every variable of a run has its name and shape, and no two share one', async (t) => {
  const specs = runVariables(resolveConfig({ preset: 'tiny' }));
  t.same(Object.fromEntries(specs.map(({ name, shape }) => [name, shape])), json('tiny.json'));
  t.equal(new Set(specs.map(({ name }) => name)).size, specs.length);
});

/**
 * Trainable parameters of networks at their published sizes. G and F of the conditional BigGAN at 128 pixels are stated
 * by compare_gan, RevNet-50 ×4 by revisiting-self-supervised; the others follow from the layers' shapes, by hand. F has
 * s_x's layer and bias with it, as has H s_z's and J s_xz's; the second term of H, J and the head is the projection on
 * the first skip.
 */
const G = { '128': 70_306_116, '64': 70_065_155, '256': 81_969_732, 'small 32': 8_415_428, 'small 64': 31_850_756 };
const F = { '128': 86_446_370, '64': 43_964_449, '256': 97_689_890 };
const H = 29_624_321 + 120 * 2048;
const J = 36_718_593 + (1536 + 2048) * 2048;
const RESNET_50 = 23_500_352;
const HEAD = 59_719_920 + 2048 * 4096;
const BASE = { G: G['128'], F: F['128'], H, J, trunk: RESNET_50, head: HEAD };
const deterministic = { ...BASE, head: HEAD - 4097 * 120 };

const PUBLISHED: Record<string, Record<string, number>> = {
  base: BASE,
  'deterministic-encoder': deterministic,
  'uniform-prior': deterministic,
  'x-unary-only': { ...BASE, H: H - 2049 },
  'z-unary-only': { ...BASE, F: F['128'] - 1537 },
  'no-unaries': { ...BASE, H: H - 2049, F: F['128'] - 1537 },
  'small-generator-32': { ...BASE, G: G['small 32'] },
  'small-generator-64': { ...BASE, G: G['small 64'] },
  'no-encoder': { G: G['128'], F: F['128'], H: 0, J: 0, trunk: 0, head: 0 },
  'high-res-encoder': BASE,
  'low-res-generator': { ...BASE, G: G['64'], F: F['64'] },
  // z has 140 dimensions there: 20 more rows in H (and in its projection), 40 more outputs of the head.
  'high-res-generator': { ...BASE, G: G['256'], F: F['256'], H: H + 20 * 4096, head: HEAD + 4097 * 40 },
  resnet101: { ...BASE, trunk: 42_492_480 },
  // Features as wide as the head need no projection.
  resnet50x2: { ...BASE, trunk: 93_891_712, head: 68_108_528 },
  revnet50: { ...BASE, trunk: 5_408_640 },
  revnet50x2: { ...BASE, trunk: 21_505_792, head: 68_108_528 },
  revnet50x4: { ...BASE, trunk: 85_765_632, head: 84_885_744 + 8192 * 4096 },
  'resnet50-fast-encoder': BASE,
  'revnet50x4-fast-encoder': { ...BASE, trunk: 85_765_632, head: 84_885_744 + 8192 * 4096 },
};

const PARTS: Record<string, RegExp> = {
  G: /^generator/,
  F: /^discriminator\/(F|score_x)\//,
  H: /^discriminator\/(H|score_z)\//,
  J: /^discriminator\/(J|score_xz)\//,
  trunk: /^encoder\/trunk/,
  head: /^encoder\/(head|output)/,
};

t.test("every row of the paper's Table 1 has its published size", async (t) => {
  t.same(
    Object.keys(PUBLISHED),
    publishedPresets.filter(({ published }) => published.table === 1).map(({ name }) => name),
  );
  for (const [preset, wanted] of Object.entries(PUBLISHED)) {
    const specs = modelVariables(resolveConfig({ preset }).model).filter(({ trainable }) => trainable);
    const count = (part: RegExp) =>
      specs.filter(({ name }) => part.test(name)).reduce((sum, { shape }) => sum + size(shape), 0);
    t.same(Object.fromEntries(Object.entries(PARTS).map(([part, names]) => [part, count(names)])), wanted, preset);
  }
});

t.test('docs/presets.md has every preset with its sizes', async (t) => {
  const text = readFileSync(join(root, 'docs', 'presets.md'), 'utf8');
  for (const name of presetNames) {
    const { generator } = parameterCounts(modelVariables(resolveConfig({ preset: name }).model));
    const shown =
      generator < 1e5 ? generator.toLocaleString('en') : `${(generator / 1e6).toFixed(generator < 1e7 ? 2 : 1)} M`;
    t.ok(
      text.includes(`| \`${name}\` | ${shown} |`),
      `${name} with ${shown}; node scripts/presets.mjs > docs/presets.md`,
    );
  }
});

t.test('the conditional BigGAN of 1,000 classes has the published counts', async (t) => {
  const { model } = resolveConfig({ preset: 'no-encoder', classes: 1000 });
  t.same(parameterCounts(modelVariables(model)), { generator: 70_433_988, discriminator: 87_982_370, encoder: 0 });
});

t.test('terms that are dropped have no parameters', async (t) => {
  const all = names();
  const without = (scores: string) =>
    all.filter((name) => !names(`model.discriminator.scores=${scores}`).includes(name));
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
  t.notOk(
    [...shapes().keys()].some((name) => /^encoder.*\/u$/.test(name)),
    'no spectral norm in E',
  );
});
