import t from 'tap';
import { preset } from '../../../../src/core/config/presets.js';
import { resolveConfig } from '../../../../src/core/config/resolve.js';
import { planEvaluation } from '../../../../src/core/train/evaluation/evaluation-plan.js';

const config = preset('tiny');
const data = { path: 'd', height: 32, width: 32, channels: 1 as const, count: 100, classes: ['a', 'b'] };
const { classes: _, ...unlabelled } = data;
const plan = (
  images: Parameters<typeof planEvaluation>[0],
  more: Partial<Parameters<typeof planEvaluation>[2]> = {},
  of = config,
) => planEvaluation(images, of, { extractor: false, ...more });

t.test('what there is to evaluate', async (t) => {
  t.same(plan(data), { names: ['knn', 'linear_probe', 'reconstruct', 'encoder'], leftOut: undefined });
  t.same(plan(data, { extractor: true }).names, ['knn', 'linear_probe', 'reconstruct', 'encoder', 'fid']);
});

t.test('without labels, or with a single class', async (t) => {
  t.same(plan(unlabelled).names, ['reconstruct', 'encoder']);
  t.match(plan(unlabelled).leftOut, /^not evaluated: knn, linear_probe \(d has no labels.*--eval-data\)$/);
  t.match(plan({ ...data, classes: ['a'] }).leftOut, /a single class/);
  for (const select of ['probe', 'knn'] as const) {
    t.throws(() => plan(unlabelled, { select }), {
      exitCode: 2,
      message: new RegExp(`--select ${select}.*no labels.*--eval-data`),
    });
  }
  t.same(plan(unlabelled, { select: 'reconstruction' }).names, ['reconstruct', 'encoder']);
});

t.test('without an encoder there is the distance at most', async (t) => {
  const gan = resolveConfig({ preset: 'tiny', settings: ['model.encoder.kind=none', 'model.discriminator.scores=x'] });
  t.throws(() => plan(data, {}, gan), { exitCode: 2, message: /--eval-extractor/ });
  t.match(plan(data, { extractor: true }, gan), { names: ['fid'], leftOut: /no encoder/ });
  t.throws(() => plan(data, { extractor: true, select: 'probe' }, gan), { exitCode: 2, message: /no encoder/ });
});

t.test('a conditional generator needs its classes', async (t) => {
  const conditional = { ...config, model: { ...config.model, classes: 2 } };
  t.same(plan(data, {}, conditional).names, ['knn', 'linear_probe', 'reconstruct', 'encoder']);
  t.match(plan({ ...data, classes: ['a', 'b', 'c'] }, {}, conditional), {
    names: ['knn', 'linear_probe', 'encoder'],
    leftOut: /reconstruct \(.*2 classes/,
  });
});

t.test('images that do not fit', async (t) => {
  t.throws(() => plan({ ...data, height: 16 }), { message: /32×32×1.*--eval-data d.*16×32×1/ });
  t.throws(() => plan({ ...data, channels: 3 }), { message: /32×32×1.*32×32×3/ });
  t.throws(() => plan({ ...data, count: 3 }), { message: /4 images.*got 3/ });
  const larger = { ...data, height: 64, width: 48 };
  t.throws(
    () => plan(larger),
    { message: /32×32×1.*--eval-data d.*64×48×1/, hint: /--resolution 32/ },
    'as for --data',
  );
  const cropped = { ...config, train: { ...config.train, crop: 'distorted' as const } };
  t.equal(plan(larger, {}, cropped).names.length, 4, 'as for --data');
});
