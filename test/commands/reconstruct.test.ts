import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import type { ReconstructResult } from '../../src/core/trained/reconstruct.js';
import { bigbigan } from '../paths.js';
import { digits, fails, pixelsOf, succeed, trained, words } from './run.js';

const dir = t.testdir();
const data = await digits(join(dir, 'data'));
const run = await trained(join(dir, 'run'), data);
const pixels = await pixelsOf(data);
const reconstruct = (...more: string[]) => [
  'reconstruct',
  '--run',
  run,
  '--precision',
  'float32',
  '--threads',
  '2',
  '--data',
  data,
  ...more,
];

const result = async (...more: string[]) =>
  JSON.parse((await succeed(reconstruct('--json', ...more))).stdout) as ReconstructResult;
const array = async (name: string) => (await readNpy(join(dir, name))).data as Uint8Array;
const near = (a: number, b: number) => Math.abs(a - b) < 1e-9;

/** Mean |original of image `partner(i)` − reconstruction of image i|, in units of the range. */
function l1(reconstructions: Uint8Array, count: number, partner: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < 1024; p++) sum += Math.abs(pixels[partner(i) * 1024 + p] - reconstructions[i * 1024 + p]);
  }
  return sum / (count * 1024 * 255);
}

t.test('the error follows from the reconstructions', async (t) => {
  const all = await result('--out', join(dir, 'all.npy'));
  const { dtype, shape } = await readNpy(join(dir, 'all.npy'));
  t.same([dtype, shape], ['uint8', [40, 32, 32, 1]]);
  const reconstructions = await array('all.npy');
  t.ok(
    near(
      all.l1_matched,
      l1(reconstructions, 40, (i) => i),
    ),
    `${all.l1_matched}`,
  );
  t.ok(near(all.l1_ratio, all.l1_matched / all.l1_mismatched));
  const norms = Array.from({ length: 40 }, (_, i) => {
    let squares = 0;
    for (let p = i * 1024; p < (i + 1) * 1024; p++) squares += ((pixels[p] - reconstructions[p]) / 255) ** 2;
    return Math.sqrt(squares);
  });
  t.ok(near(all.l2_matched, norms.reduce((sum, norm) => sum + norm) / 40), `${all.l2_matched}`);
  t.ok(near(all.l2_ratio, all.l2_matched / all.l2_mismatched));
  // The expectation over partners is the mean over all others.
  let mean = 0;
  for (let shift = 1; shift < 40; shift++) mean += l1(reconstructions, 40, (i) => (i + shift) % 40) / 39;
  t.ok(Math.abs(all.l1_mismatched - mean) < 0.02 * mean, `${all.l1_mismatched}, not near ${mean}`);
  t.match(all, {
    count: 40,
    out: join(dir, 'all.npy'),
    data,
    data_digest: /^[0-9a-f]{64}$/,
    checkpoint: join(run, 'checkpoints', '00000002.safetensors'),
    checkpoint_digest: /^[0-9a-f]{64}$/,
    weights: 'average',
    precision: 'float32',
    latent: 'mean',
    seed: 0,
    seconds: Number,
  });
});

t.test('of two images each is the partner of the other', async (t) => {
  const two = await result('--limit', '2', '--out', join(dir, 'two.npy'));
  const reconstructions = await array('two.npy');
  t.equal(two.count, 2);
  t.ok(
    near(
      two.l1_matched,
      l1(reconstructions, 2, (i) => i),
    ),
  );
  t.ok(
    near(
      two.l1_mismatched,
      l1(reconstructions, 2, (i) => 1 - i),
    ),
  );
  const all = await array('all.npy');
  t.ok(
    reconstructions.every((value, i) => Math.abs(value - all[i]) <= 1),
    'the first ones of all',
  );
});

t.test('--seed pairs others; --batch-size and the sheet change nothing', async (t) => {
  const base = await result();
  const other = await result('--seed', '1');
  t.equal(other.l1_matched, base.l1_matched);
  t.not(other.l1_mismatched, base.l1_mismatched);
  const small = await result('--batch-size', '7');
  for (const key of ['l1_matched', 'l1_mismatched'] as const) t.ok(Math.abs(small[key] - base[key]) < 1e-4, key);
});

t.test('--sample draws z', async (t) => {
  const base = await result();
  const sampled = await result('--sample', '--out', join(dir, 'sampled.npy'));
  t.match(sampled, { latent: 'sample' });
  t.not(sampled.l1_matched, base.l1_matched);
  const again = await result('--sample', '--batch-size', '9');
  t.ok(Math.abs(again.l1_matched - sampled.l1_matched) < 1e-4, 'by --seed, whatever the batch size');
  t.not((await result('--sample', '--seed', '1')).l1_matched, sampled.l1_matched);
});

t.test('a sheet: each row of originals above its reconstructions', async (t) => {
  const { stdout } = await succeed(reconstruct('--out', join(dir, 'sheet.png'), '--count', '5', '--columns', '3'));
  t.match(
    stdout,
    /^L1 ratio \d\.\d{4} \(matched .*, mismatched .*, 40 images\)\nL2 ratio \d\.\d{4} \(matched .*, mismatched .*, 40 images\)\n.*sheet\.png\n$/,
  );
  const { width, height } = await sharp(join(dir, 'sheet.png')).metadata();
  t.same([width, height], [96, 128]);
  const sheet = await sharp(join(dir, 'sheet.png')).toColourspace('b-w').raw().toBuffer();
  const reconstructions = await array('all.npy');
  const tile = (row: number, column: number) =>
    Array.from({ length: 1024 }, (_, i) => sheet[(row * 32 + (i >> 5)) * 96 + column * 32 + (i & 31)]);
  for (let i = 0; i < 5; i++) {
    const [row, column] = [2 * Math.floor(i / 3), i % 3];
    t.same(tile(row, column), Array.from(pixels.subarray(i * 1024, (i + 1) * 1024)), `original ${i}`);
    t.ok(
      tile(row + 1, column).every((value, p) => Math.abs(value - reconstructions[i * 1024 + p]) <= 1),
      `reconstruction ${i}`,
    );
  }
  for (const row of [2, 3]) t.ok(tile(row, 2).every((value) => value === 0));
});

t.test('images from a stream', async (t) => {
  await writeNpy(join(dir, 'images.npy'), [40, 32, 32], pixels);
  const command = reconstruct('--json', '--quiet').map((word) => (word === data ? '-' : word));
  const { stdout, stderr } = await succeed(command, { input: readFileSync(join(dir, 'images.npy')) });
  t.equal(words(stderr), '', '--quiet');
  t.ok(near((JSON.parse(stdout) as ReconstructResult).l1_matched, (await result()).l1_matched));
});

t.test('mistakes', async (t) => {
  await fails(t, 2, ['reconstruct', '--data', data], /--run, --checkpoint or --model is missing/);
  await fails(t, 2, ['reconstruct', '--run', run], /--data is missing/);
  await fails(t, 2, reconstruct('--out', join(dir, 'folder')), /\.png or \.npy/);
  await fails(t, 2, reconstruct('--limit', '0'), /--limit/);
  await fails(t, 2, reconstruct('--out', join(dir, 'none.npy'), '--columns', '3'), /--columns needs --out FILE\.png/);
  await fails(t, 2, reconstruct('--count', '3'), /--count needs --out FILE\.png/);
  await fails(t, 1, reconstruct('--out', join(dir, 'nowhere', 'one.npy')), /no folder .*nowhere/);
  await fails(t, 1, reconstruct('--out', join(dir, 'all.npy')), /exists already/, /--force/);
  await fails(t, 1, reconstruct('--limit', '1', '--out', join(dir, 'one.npy')), /2 or more images/);
  await writeNpy(join(dir, 'flat.npy'), [3, 32, 32, 1], new Uint8Array(3072));
  const flat = reconstruct().map((word) => (word === data ? join(dir, 'flat.npy') : word));
  const { code, stderr } = await bigbigan(flat);
  t.equal(code, 0, stderr);
  t.notOk(existsSync(join(dir, 'one.npy')));
});
