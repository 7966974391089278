import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { sha256File } from '../../src/core/formats/digest.js';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import { bigbigan } from '../paths.js';
import { digits, fails, pixelsOf, succeed, trained, words } from './run.js';

const dir = t.testdir();
const data = await digits(join(dir, 'data'));
const run = await trained(join(dir, 'run'), data);
const pixels = await pixelsOf(data);
const COUNT = 40;
const WIDTHS = { avepool: 16, bn_crelu: 32, z_mean: 8, z_std: 8, z_sample: 8 };
const model = ['--run', run, '--precision', 'float32', '--threads', '2'];
const encode = (input: string, out: string, ...more: string[]) => [
  'encode',
  ...model,
  '--data',
  input,
  '--out',
  join(dir, out),
  ...more,
];
const rows = async (out: string, name: string) =>
  Array.from((await readNpy(join(dir, out, `${name}.npy`))).data as Float32Array);
const worst = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

t.test('a features folder: every output, labels, ids and where it comes from', async (t) => {
  const { stdout, stderr } = await succeed([...encode(data, 'all'), '--json']);
  const checkpoint = join(run, 'checkpoints', '00000002.safetensors');
  t.match(JSON.parse(stdout), {
    out: join(dir, 'all'),
    rows: COUNT,
    outputs: Object.keys(WIDTHS),
    data,
    data_digest: /^[0-9a-f]{64}$/,
    checkpoint,
    checkpoint_digest: await sha256File(checkpoint),
    weights: 'average',
    precision: 'float32',
    seed: 0,
    seconds: Number,
  });
  t.match(stderr, /encode 40\/40/);
  t.same(
    readdirSync(join(dir, 'all')).sort(),
    [...Object.keys(WIDTHS).map((name) => `${name}.npy`), 'features.json', 'ids.txt', 'labels.npy'].sort(),
  );
  for (const [name, width] of Object.entries(WIDTHS)) {
    const { dtype, shape, data: values } = await readNpy(join(dir, 'all', `${name}.npy`));
    t.same([dtype, shape], ['float32', [COUNT, width]], name);
    t.ok(Array.from(values as Float32Array).every(Number.isFinite));
  }
  t.same(await readNpy(join(dir, 'all', 'labels.npy')), await readNpy(join(data, 'labels-00000-of-00001.npy')));
  t.equal(
    readFileSync(join(dir, 'all', 'ids.txt'), 'utf8'),
    readFileSync(join(data, 'ids-00000-of-00001.txt'), 'utf8'),
  );
  t.match(JSON.parse(readFileSync(join(dir, 'all', 'features.json'), 'utf8')), {
    rows: COUNT,
    source: { checkpoint, step: 2, classes: Array },
  });
  t.ok((await rows('all', 'z_std')).every((value) => value > 0));
});

t.test('the same command again does nothing; another one needs --force', async (t) => {
  const before = (await stat(join(dir, 'all', 'avepool.npy'))).mtimeMs;
  const { stdout, stderr } = await succeed(encode(data, 'all'));
  t.equal(stdout, `${join(dir, 'all')}\n`);
  t.match(stderr, /holds these features already/);
  t.equal((await stat(join(dir, 'all', 'avepool.npy'))).mtimeMs, before);
  await fails(t, 1, [...encode(data, 'all'), '--weights', 'trained'], /exists already/, /--force/);
  t.equal((await stat(join(dir, 'all', 'avepool.npy'))).mtimeMs, before);
});

t.test('rows do not depend on the batch size, nor on what is encoded beside them', async (t) => {
  const small = await succeed(encode(data, 'small', '--batch-size', '7', '--quiet'));
  t.equal(words(small.stderr), '', '--quiet');
  await writeNpy(join(dir, 'last.npy'), [5, 32, 32, 1], pixels.slice(35 * 1024));
  await succeed(encode(join(dir, 'last.npy'), 'last', '--outputs', 'avepool,z_mean'));
  for (const [name, width] of Object.entries(WIDTHS)) {
    const all = await rows('all', name);
    t.ok(worst(all, await rows('small', name)) < 1e-5, name);
    if (name === 'avepool' || name === 'z_mean')
      t.ok(worst(await rows('last', name), all.slice(35 * width)) < 1e-5, `last rows of ${name}`);
  }
  t.same(readdirSync(join(dir, 'last')).sort(), ['avepool.npy', 'features.json', 'ids.txt', 'z_mean.npy']);
});

t.test('z_sample = μ + ε·σ, ε by --seed', async (t) => {
  await succeed(encode(data, 'seeded', '--seed', '1', '--outputs', 'z_sample'));
  const [mean, std, sample] = await Promise.all(['z_mean', 'z_std', 'z_sample'].map((name) => rows('all', name)));
  const noise = sample.map((value, i) => (value - mean[i]) / std[i]);
  const average = noise.reduce((a, b) => a + b) / noise.length;
  const variance = noise.reduce((sum, e) => sum + (e - average) ** 2, 0) / noise.length;
  // 320 values: standard errors 0.06 and 0.08.
  t.ok(Math.abs(average) < 0.25 && Math.abs(variance - 1) < 0.35, `${average}, ${variance}`);
  t.ok(worst(sample, await rows('seeded', 'z_sample')) > 0.01);
  t.same(JSON.parse(readFileSync(join(dir, 'seeded', 'features.json'), 'utf8')).source.seed, 1);
});

t.test('the same images as .npy, stream and folder', async (t) => {
  const file = join(dir, 'images.npy');
  await writeNpy(file, [COUNT, 32, 32], pixels);
  await mkdir(join(dir, 'pictures'));
  for (let i = 0; i < COUNT; i++) {
    const raw = { width: 32, height: 32, channels: 1 as const };
    await sharp(pixels.slice(i * 1024, (i + 1) * 1024), { raw })
      .toColourspace('b-w')
      .png()
      .toFile(join(dir, 'pictures', `${String(i).padStart(3, '0')}.png`));
  }
  await succeed(encode(file, 'file', '--outputs', 'z_mean'));
  await succeed(encode('-', 'stream', '--outputs', 'z_mean'), { input: readFileSync(file) });
  await succeed(encode(join(dir, 'pictures'), 'folder', '--outputs', 'z_mean'));
  const wanted = await rows('all', 'z_mean');
  for (const out of ['file', 'stream', 'folder']) t.ok(worst(wanted, await rows(out, 'z_mean')) < 1e-5, out);
  t.match(readFileSync(join(dir, 'folder', 'ids.txt'), 'utf8'), /^000\.png\n001\.png\n/);
  t.notOk(existsSync(join(dir, 'file', 'labels.npy')));
  // A stream has no digest to tell that it is the same again.
  const again = await bigbigan(encode('-', 'stream', '--outputs', 'z_mean'), { input: readFileSync(file) });
  t.equal(again.code, 1);
  await succeed(encode('-', 'stream', '--outputs', 'z_mean', '--force'), { input: readFileSync(file) });
});

t.test('pixels need no model, and are the images from 0 to 1', async (t) => {
  const { stdout } = await succeed([
    'encode',
    '--data',
    data,
    '--outputs',
    'pixels',
    '--out',
    join(dir, 'pixels'),
    '--json',
  ]);
  t.match(JSON.parse(stdout), { rows: COUNT, checkpoint: null });
  const { shape } = await readNpy(join(dir, 'pixels', 'pixels.npy'));
  t.same(shape, [COUNT, 1024]);
  t.ok(
    worst(
      await rows('pixels', 'pixels'),
      Array.from(pixels, (value) => value / 255),
    ) < 1e-7,
  );
});

t.test('--checkpoint and --weights', async (t) => {
  const { stdout } = await succeed([
    'encode',
    '--checkpoint',
    join(run, 'checkpoints', '00000002.safetensors'),
    '--precision',
    'float32',
    '--threads',
    '2',
    '--data',
    data,
    '--outputs',
    'z_mean',
    '--weights',
    'trained',
    '--out',
    join(dir, 'trained'),
    '--json',
  ]);
  t.match(JSON.parse(stdout), { weights: 'trained' });
  t.ok(worst(await rows('trained', 'z_mean'), await rows('all', 'z_mean')) > 1e-5);
});

t.test('op by op the same', async (t) => {
  await succeed(encode(data, 'eager', '--eager', '--outputs', 'z_mean'));
  t.ok(worst(await rows('eager', 'z_mean'), await rows('all', 'z_mean')) < 1e-5);
});

t.test('mistakes', async (t) => {
  await fails(t, 2, encode(data, 'none', '--outputs', 'pixels'), /--run does not go with --outputs pixels alone/);
  await fails(t, 2, encode(data, 'none', '--outputs', 'avgpool'), /no output "avgpool"/, /avepool, bn_crelu/);
  await fails(
    t,
    2,
    ['encode', '--data', data, '--out', join(dir, 'none')],
    /--run, --checkpoint or --model is missing/,
  );
  await fails(t, 2, ['encode', ...model, '--out', join(dir, 'none')], /--data is missing/);
  await fails(t, 2, ['encode', ...model, '--data', data], /--out is missing/);
  await fails(t, 2, encode(data, 'none', '--checkpoint', 'x'), /--checkpoint/, /--run/);
  await fails(t, 1, ['encode', '--run', join(dir, 'nowhere'), '--data', data, '--out', join(dir, 'none')], /no run at/);
  await fails(
    t,
    1,
    ['encode', '--checkpoint', join(data, 'dataset.json'), '--data', data, '--out', join(dir, 'none')],
    /dataset\.json/,
  );
  await fails(t, 1, encode(join(dir, 'nowhere'), 'none'), /nowhere/);
  await fails(t, 1, encode(run, 'none'), /expected images for .*run, got a run of bigbigan train/);
  await fails(
    t,
    2,
    encode(data, 'none.npy'),
    /a folder, which gets an \.npy for each output, for --out, got .*none\.npy/,
  );
  t.notOk(existsSync(join(dir, 'none.npy')));
  await writeNpy(join(dir, 'small.npy'), [3, 16, 16, 1], new Uint8Array(768));
  await fails(t, 1, encode(join(dir, 'small.npy'), 'none'), /32 x 32/, /16 x 16/);
  await writeNpy(join(dir, 'float.npy'), [1, 32, 32, 1], new Float32Array(1024));
  await fails(t, 1, encode(join(dir, 'float.npy'), 'none'), /uint8/, /float32/);
  writeFileSync(join(dir, 'a-file'), 'precious');
  await fails(t, 1, encode(data, 'a-file', '--outputs', 'z_mean', '--force'), /a-file/);
  t.equal(readFileSync(join(dir, 'a-file'), 'utf8'), 'precious');
  t.notOk(existsSync(join(dir, 'none')));
});

t.test('a stream that ends early leaves nothing', async (t) => {
  const whole = readFileSync(join(dir, 'images.npy'));
  const { code, stderr } = await bigbigan(encode('-', 'cut', '--outputs', 'z_mean', '--batch-size', '8'), {
    input: whole.subarray(0, 20000),
  });
  t.equal(code, 1);
  t.notMatch(stderr, /unexpected/);
  t.same(
    readdirSync(dir).filter((name) => name.includes('cut')),
    [],
  );
  rmSync(join(dir, 'images.npy'));
});
