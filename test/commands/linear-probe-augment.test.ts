/** bigbigan linear-probe --augment: features encoded anew while the classifier trains. */

import { cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import { readSafetensors } from '../../src/core/formats/safetensors.js';
import { digits, fails, succeed, trained } from './run.js';

const dir = t.testdir();
const at = (...names: string[]) => join(dir, ...names);
const COUNT = 90;
const data = await digits(at('data'), COUNT);
const run = await trained(at('run'), data);
const model = ['--run', run, '--precision', 'float32'];
const features = await encoded('features', data);
const sets = ['--train', features, '--test', features];
const quick = ['--steps', '12', '--batch-size', '32', '--threads', '2'];
const one = ['--learning-rates', '0.01', '--penalties', '0.001'];

async function encoded(name: string, images: string, ...more: string[]): Promise<string> {
  await succeed([
    'encode',
    ...(more.length > 0 ? more : model),
    '--data',
    images,
    '--out',
    at(name),
    '--threads',
    '2',
    '--quiet',
  ]);
  return at(name);
}

interface Answer {
  top1: number;
  heads: Array<{ heldout_loss: number }>;
  augment?: Record<string, unknown>;
  [key: string]: unknown;
}

let classifiers = 0;

/** The result without times, and the classifier's weights. */
async function probe(...args: string[]): Promise<{ answer: Answer; weight: Float32Array }> {
  const out = at(`classifier${classifiers++}.safetensors`);
  const { stdout } = await succeed(['linear-probe', ...args, ...quick, '--out', out, '--json']);
  const { seconds, out: _, ...answer } = JSON.parse(stdout) as Answer & { seconds: number };
  if (answer.augment) delete answer.augment.images_per_second;
  return { answer, weight: (await readSafetensors(out)).tensors.get('weight')!.data as Float32Array };
}

function largest(values: ArrayLike<number>): number {
  return Math.max(...Array.from(values, Math.abs));
}

/** Difference relative to the largest weight. */
function apart(a: Float32Array, b: Float32Array): number {
  return largest(a.map((value, i) => value - b[i])) / largest(b);
}

const probeFails = (t: Test, code: number, args: string[], ...expected: RegExp[]) =>
  fails(t, code, ['linear-probe', ...args, ...quick], ...expected);

t.test(
  'crops without chance give the classifier of the features; random ones another, by the seed alone',
  async (t) => {
    const plain = await probe(...sets, ...one);
    const center = await probe(...sets, ...one, '--augment', 'center');
    t.ok(apart(center.weight, plain.weight) < 1e-3);
    t.same(
      { ...center.answer, augment: undefined, protocol: '' },
      { ...plain.answer, augment: undefined, protocol: '' },
    );
    const [mirrored, again] = [
      await probe(...sets, ...one, '--augment', 'center', '--flip'),
      await probe(...sets, ...one, '--augment', 'center', '--flip'),
    ];
    t.same(again, mirrored);
    t.ok(apart(mirrored.weight, plain.weight) > 1e-3);
  },
);

t.test('the result names the protocol', async (t) => {
  const { source } = JSON.parse(await readFile(join(features, 'features.json'), 'utf8')) as {
    source: Record<string, unknown>;
  };
  const { stdout, stderr } = await succeed([
    'linear-probe',
    ...sets,
    ...one,
    ...quick,
    '--augment',
    'distorted',
    '--json',
  ]);
  t.match(JSON.parse(stdout), {
    augment: {
      crop: 'distorted',
      flip: false,
      data,
      data_digest: source.data_digest,
      checkpoint: source.checkpoint,
      checkpoint_digest: source.checkpoint_digest,
      step: 2,
      weights: 'average',
      precision: 'float32',
      images: 12 * 32,
      images_per_second: Number,
    },
    protocol: /^features of distorted crops, encoded anew for each batch/,
  });
  t.match(stderr, /steps 12\/12 \d+ images\/s/);
});

t.test('several folders and seeds: each folder has its own images and model', async (t) => {
  const both = await succeed([
    'linear-probe',
    '--train',
    features,
    features,
    '--test',
    features,
    features,
    ...one,
    ...quick,
    '--seeds',
    '0,1',
    '--augment',
    'distorted',
    '--json',
  ]);
  const { runs } = JSON.parse(both.stdout) as { runs: Answer[] };
  const single = (await probe(...sets, ...one, '--seed', '1', '--augment', 'distorted')).answer;
  t.same(
    runs.map(({ top1 }) => top1),
    [runs[0].top1, single.top1, runs[0].top1, single.top1],
  );
});

t.test('a SavedModel in place of a checkpoint', async (t) => {
  await succeed(['export', '--run', run, '--out', at('model'), '--quiet']);
  const own = await encoded('model-features', data, '--model', at('model'));
  const ask = ['--train', own, '--test', own, ...one];
  const plain = await probe(...ask);
  const center = await probe(...ask, '--augment', 'center', '--no-flip');
  t.ok(apart(center.weight, plain.weight) < 1e-3);
  t.match(center.answer.augment, { model: at('model'), model_digest: String, checkpoint: null });
  await probeFails(t, 2, [...ask, '--augment', 'center'], /--flip or --no-flip is missing/);
  await probeFails(
    t,
    1,
    [...ask, '--augment', 'center', '--run', run],
    /the model that .*model-features was encoded from/,
  );
});

t.test('images and model may lie elsewhere', async (t) => {
  await rename(data, at('moved'));
  const checkpoint = join(run, 'checkpoints', '00000002.safetensors');
  await probeFails(
    t,
    1,
    [...sets, ...one, '--augment', 'distorted'],
    /the images that .*features was encoded from/,
    /--data/,
  );
  const ask = [...sets, ...one, '--augment', 'distorted', '--data', at('moved')];
  const byDefault = await probe(...ask);
  const byRun = await probe(...ask, '--run', run);
  t.same(byRun.weight, byDefault.weight);
  await rename(checkpoint, at('kept.safetensors'));
  await probeFails(t, 1, ask, /the model that .*features was encoded from/, /--checkpoint/);
  const byFile = await probe(...ask, '--checkpoint', at('kept.safetensors'));
  t.same(byFile.weight, byDefault.weight);
  await rename(at('kept.safetensors'), checkpoint);
  await rename(at('moved'), data);
});

t.test('what is not of the features is refused', async (t) => {
  const augment = [...sets, ...one, '--augment', 'distorted'];
  const few = await digits(at('few'), 40);
  await probeFails(
    t,
    1,
    [...augment, '--data', few],
    /the images that .*features was encoded from \(digest \w{12}\).*few, got digest \w{12}/,
  );
  const other = await trained(at('other'), few);
  await probeFails(
    t,
    1,
    [...augment, '--run', other],
    /the model that .*features was encoded from \(digest \w{12}\).*other.*, got digest/,
  );
  await probeFails(t, 1, [...augment, '--checkpoint', join(data, 'dataset.json')], /dataset\.json/);
  await probeFails(t, 1, [...augment, '--data', at('nowhere')], /a dataset folder for .*nowhere/);

  const foreign = at('foreign');
  await mkdir(foreign);
  for (const name of ['avepool.npy', 'labels.npy']) await cp(join(features, name), join(foreign, name));
  const unknown = ['--train', foreign, '--test', foreign, ...one, '--augment', 'distorted'];
  await probeFails(
    t,
    1,
    unknown,
    /a features\.json that says of which dataset and model .*foreign, got none/,
    /bigbigan encode/,
  );
  await writeFile(join(foreign, 'features.json'), '{}');
  await probeFails(t, 1, unknown, /foreign, got one of something else/);
  await writeFile(join(foreign, 'features.json'), JSON.stringify({ source: { data: '-', data_digest: null } }));
  await probeFails(t, 1, unknown, /foreign, got features of a stream/);
  const { source } = JSON.parse(await readFile(join(features, 'features.json'), 'utf8')) as { source: object };
  await writeFile(join(foreign, 'features.json'), JSON.stringify({ source }));
  const { data: rows } = await readNpy(join(foreign, 'avepool.npy'));
  await writeNpy(join(foreign, 'avepool.npy'), [COUNT - 1, 16], (rows as Float32Array).slice(16));
  await writeNpy(
    join(foreign, 'labels.npy'),
    [COUNT - 1],
    Int32Array.from({ length: COUNT - 1 }, (_, i) => i % 2),
  );
  await probeFails(t, 1, unknown, /89 images, one for each row of .*foreign.*, got 90/);

  await succeed(['encode', '--data', data, '--outputs', 'pixels', '--out', at('pixels'), '--quiet']);
  const raw = [
    '--train',
    at('pixels'),
    '--test',
    at('pixels'),
    ...one,
    '--feature',
    'pixels',
    '--augment',
    'distorted',
  ];
  await probeFails(t, 2, raw, /--augment does not go with --feature pixels/, /avepool, bn_crelu, z_mean/);
  await probeFails(t, 2, [...augment, '--feature', 'z_sample'], /--augment does not go with --feature z_sample/);
});

t.test('options that do not go together', async (t) => {
  const cases: Array<[string[], RegExp]> = [
    [[...sets, '--augment', 'resnet'], /Allowed choices are center, random-resized, distorted/],
    [[...sets, '--augment', 'center', '--solver', 'lbfgs'], /--augment does not go with --solver lbfgs/],
    [['--apply', 'x.safetensors', '--test', features, '--augment', 'center'], /--augment does not go with --apply/],
    [[...sets, '--flip'], /--flip needs --augment/],
    [[...sets, '--no-flip'], /--no-flip needs --augment/],
    [[...sets, '--data', data], /--data needs --augment/],
    [[...sets, '--run', run], /--run needs --augment/],
    [[...sets, '--checkpoint', 'x'], /--checkpoint needs --augment/],
    [[...sets, '--model', 'x'], /--model needs --augment/],
    [[...sets, '--augment', 'center', '--run', 'x', '--checkpoint', 'y'], /--checkpoint.* cannot be used with .*--run/],
    [
      ['--train', features, features, '--test', features, features, '--augment', 'center', '--data', data],
      /--data is for one --train folder/,
    ],
  ];
  for (const [args, message] of cases) await probeFails(t, 2, args, message);
});
