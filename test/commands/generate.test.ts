import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { emulatesBfloat16 } from '../../src/core/backend/precision.js';
import { readNpy } from '../../src/core/formats/npy/npy.js';
import { readSafetensors, writeSafetensors } from '../../src/core/formats/safetensors.js';
import { root, run as runProgram } from '../paths.js';
import { digits, fails, succeed, trained, words } from './run.js';

const dir = t.testdir();
const run = await trained(join(dir, 'run'), await digits(join(dir, 'data')));
const model = ['--run', run, '--precision', 'float32', '--threads', '2'];
const generate = (out: string, ...more: string[]) => [
  'generate',
  ...model,
  '--out',
  out === '-' ? out : join(dir, out),
  ...more,
];
const array = async (name: string) => Array.from((await readNpy(join(dir, name))).data as Uint8Array);
const grey = async (path: string) => Array.from(await sharp(path).toColourspace('b-w').raw().toBuffer());
const worst = (a: number[], b: number[]) =>
  a.length === b.length ? Math.max(...a.map((value, i) => Math.abs(value - b[i]))) : Infinity;
const image = (all: number[], i: number) => all.slice(i * 1024, (i + 1) * 1024);

t.test('an array, and what the result says', async (t) => {
  const { stdout } = await succeed([...generate('ten.npy', '--count', '10', '--seed', '3'), '--json']);
  t.match(JSON.parse(stdout), {
    out: join(dir, 'ten.npy'),
    count: 10,
    seeds: [3, 12],
    truncation: null,
    checkpoint: join(run, 'checkpoints', '00000002.safetensors'),
    checkpoint_digest: /^[0-9a-f]{64}$/,
    weights: 'average',
    precision: 'float32',
    seconds: Number,
  });
  const { dtype, shape } = await readNpy(join(dir, 'ten.npy'));
  t.same([dtype, shape], ['uint8', [10, 32, 32, 1]]);
  const all = await array('ten.npy');
  t.ok(worst(image(all, 0), image(all, 1)) > 2, 'images differ');
});

t.test('the same seed is the same image, whatever the batch size and the other seeds', async (t) => {
  await succeed(generate('three.npy', '--count', '10', '--seed', '3', '--batch-size', '3'));
  const all = await array('ten.npy');
  t.ok(worst(all, await array('three.npy')) <= 1);
  const { stdout } = await succeed([...generate('list.npy', '--seeds', '12,5-6,5'), '--json']);
  t.match(JSON.parse(stdout), { count: 4, seeds: [12, 5, 6, 5] });
  const list = await array('list.npy');
  [9, 2, 3, 2].forEach((at, i) => t.ok(worst(image(list, i), image(all, at)) <= 1, `image ${i}`));
});

t.test('bf16 is warned of where the processor emulates it', async (t) => {
  const { stderr } = await succeed([
    'generate',
    '--run',
    run,
    '--precision',
    'bf16',
    '--batch-size',
    '2',
    '--count',
    '1',
    '--out',
    join(dir, 'bf16.npy'),
  ]);
  t.equal(/^warning: .*emulates bf16/m.test(stderr), emulatesBfloat16());
});

t.test('a stream: the same bytes as the file, and nothing else on stdout', async (t) => {
  const { bytes, stderr } = await succeed(
    generate('-', '--count', '10', '--seed', '3', '--batch-size', '4', '--quiet'),
  );
  t.equal(words(stderr), '', '--quiet');
  const file = readFileSync(join(dir, 'ten.npy'));
  t.equal(bytes.subarray(0, 8).toString('latin1'), '\x93NUMPY\x01\x00');
  const start = (header: Buffer) => 10 + header.readUInt16LE(8);
  t.match(
    bytes.subarray(10, start(bytes)).toString(),
    /'descr': '\|u1', 'fortran_order': False, 'shape': \(10, 32, 32, 1\)/,
  );
  t.equal(bytes.length, start(bytes) + 10 * 1024);
  t.ok(worst([...bytes.subarray(start(bytes))], [...file.subarray(start(file))]) <= 1);
});

t.test('a stream goes into encode', async (t) => {
  const { bytes } = await succeed(generate('-', '--count', '3', '--json'));
  const out = join(dir, 'features');
  const { stdout } = await succeed(['encode', ...model, '--data', '-', '--outputs', 'z_mean', '--out', out], {
    input: bytes,
  });
  t.equal(stdout, `${out}\n`);
});

t.test('a reader that has enough ends the program quietly', async (t) => {
  const { run: shell } = await import('../paths.js');
  const command = `"${process.execPath}" bin/bigbigan.js ${generate(
    '-',
    '--count',
    '3000',
    '--batch-size',
    '50',
    '--quiet',
  )
    .map((word) => `'${word}'`)
    .join(' ')}`;
  const { stderr, stdout } = await shell('bash', ['-c', `${command} | head -c 6; echo " \${PIPESTATUS[0]}"`]);
  t.match(stdout, / 0\n$/);
  t.equal(words(stderr), '');
});

t.test('a folder of PNGs named by seed', async (t) => {
  const { stdout } = await succeed(generate('folder', '--seeds', '3,12345'));
  t.equal(stdout, `${join(dir, 'folder')}\n`);
  t.same(readdirSync(join(dir, 'folder')).sort(), ['images.json', 'seed0003.png', 'seed12345.png']);
  t.ok(worst(await grey(join(dir, 'folder', 'seed0003.png')), image(await array('ten.npy'), 0)) <= 1);
});

t.test('a sheet in reading order', async (t) => {
  await succeed(generate('sheet.png', '--count', '5', '--seed', '3', '--columns', '3'));
  const { width, height } = await sharp(join(dir, 'sheet.png')).metadata();
  t.same([width, height], [96, 64]);
  const sheet = await grey(join(dir, 'sheet.png'));
  const all = await array('ten.npy');
  const tile = (row: number, column: number) =>
    Array.from({ length: 1024 }, (_, i) => sheet[(row * 32 + (i >> 5)) * 96 + column * 32 + (i & 31)]);
  for (let i = 0; i < 5; i++) t.ok(worst(tile(Math.floor(i / 3), i % 3), image(all, i)) <= 1, `image ${i}`);
  t.ok(
    tile(1, 2).every((value) => value === 0),
    'the place left over is black',
  );
});

t.test('truncation draws other latents and takes statistics for them', async (t) => {
  await succeed(generate('truncated.npy', '--count', '10', '--seed', '3', '--truncation', '0.3'));
  const [all, truncated] = [await array('ten.npy'), await array('truncated.npy')];
  t.ok(worst(all, truncated) > 2);
  await succeed(
    generate('wide.npy', '--count', '10', '--seed', '3', '--truncation', '100', '--standing-statistics', '2'),
  );
  await succeed(generate('anew.npy', '--count', '10', '--seed', '3', '--standing-statistics', '2'));
  t.ok(worst(await array('wide.npy'), await array('anew.npy')) <= 1, 'a bound that binds nothing changes nothing');
  await succeed(generate('anew3.npy', '--count', '10', '--seed', '3', '--standing-statistics', '3'));
  t.ok(worst(await array('anew.npy'), await array('anew3.npy')) > 0);
});

t.test('the statistics of the checkpoint are those of as many batches of its own', async (t) => {
  // The preset takes them over 2 batches.
  t.ok(worst(await array('anew.npy'), await array('ten.npy')) <= 1);
});

t.test('what exists is left alone without --force', async (t) => {
  const before = readFileSync(join(dir, 'ten.npy'));
  for (const out of ['ten.npy', 'sheet.png', 'folder']) {
    await fails(t, 1, generate(out, '--count', '1'), new RegExp(`${out} exists already`), /--force/);
  }
  t.same(readFileSync(join(dir, 'ten.npy')), before);
  mkdirSync(join(dir, 'thesis'));
  writeFileSync(join(dir, 'thesis', 'thesis.tex'), 'precious');
  await fails(t, 1, generate('thesis', '--count', '1', '--force'), /thesis/);
  t.same(readdirSync(join(dir, 'thesis')), ['thesis.tex']);
  await succeed(generate('folder', '--seeds', '7', '--force'));
  t.same(readdirSync(join(dir, 'folder')).sort(), ['images.json', 'seed0007.png']);
});

t.test("TensorFlow's own notices do not reach a pipe, or a file that is appended to", async (t) => {
  const command = [
    process.execPath,
    join(root, 'bin', 'bigbigan.js'),
    ...generate('quiet.npy', '--count', '1', '--quiet', '--force'),
  ];
  const log = join(dir, 'log.txt');
  await runProgram('sh', ['-c', `{ echo before >&2; "$@"; echo after >&2; } 2>>'${log}'`, 'sh', ...command]);
  t.equal(readFileSync(log, 'utf8'), 'before\nafter\n');
  const { stdout } = await runProgram('sh', ['-c', '"$@" 2>&1 | cat', 'sh', ...command]);
  t.equal(stdout, `${join(dir, 'quiet.npy')}\n`);
});

t.test('mistakes', async (t) => {
  await fails(t, 2, ['generate', '--out', join(dir, 'none.npy')], /--run, --checkpoint or --model is missing/);
  await fails(t, 2, ['generate', ...model], /--out is missing/);
  await fails(t, 2, generate('none.npy', '--truncation', '0.001'), /0\.01 or more/);
  await fails(t, 2, generate('none.npy', '--truncation', '-1'), /--truncation/);
  await fails(t, 2, generate('none.npy', '--count', '0'), /--count/);
  await fails(t, 2, generate('none.npy', '--columns', '3'), /--columns needs --out FILE\.png/);
  await fails(t, 2, generate('none.npy', '--seeds', '5-3'), /backwards/);
  await fails(t, 2, generate('none.npy', '--seeds', '1', '--count', '3'), /--seeds/, /--count/);
  await fails(t, 2, generate('none.npy', '--seed', '2147483647', '--count', '2'), /2147483647/);
  await fails(t, 2, generate('none.npy', '--seeds', '1,2147483648,2'), /2147483647/);
  await fails(t, 1, generate('nowhere/none.npy'), /no folder .*nowhere/);
  for (const out of ['none.jpg', 'none.npz']) {
    await fails(t, 2, generate(out), /expected a folder, a \.png, an \.npy or - for --out, got/, new RegExp(`${out}/`));
    t.notOk(existsSync(join(dir, out)));
  }
  const named = (...more: string[]) => ['generate', ...more, '--out', join(dir, 'none.npy')];
  await fails(t, 1, named('--run', join(dir, 'data')), /a dataset made by bigbigan prep-data/);
  await fails(t, 1, named('--run', dir), /which holds the runs /, /such as /);
  await fails(t, 1, named('--checkpoint', run), /got the run/, /--run/);
  await fails(t, 1, named('--checkpoint', join(run, 'config.json')), /expected a safetensors file for .*config\.json/);
  t.notOk(existsSync(join(dir, 'none.npy')));
});

t.test('a checkpoint that cannot be used leaves nothing behind, on disk or on stdout', async (t) => {
  const checkpoint = join(dir, 'damaged.safetensors');
  cpSync(join(run, 'checkpoints', '00000002.safetensors'), checkpoint);
  const { tensors, metadata } = await readSafetensors(checkpoint);
  tensors.delete('ema/generator/linear/kernel');
  await writeSafetensors(checkpoint, tensors, metadata);
  for (const out of [join(dir, 'pictures'), join(dir, 'pictures.npy'), '-']) {
    await fails(
      t,
      1,
      ['generate', '--checkpoint', checkpoint, '--out', out],
      /ema\/generator\/linear\/kernel/,
      /damaged\.safetensors/,
    );
  }
  t.same(
    readdirSync(dir).filter((name) => name.includes('pictures')),
    [],
  );
  truncateSync(checkpoint, 3000);
  await fails(t, 1, ['generate', '--checkpoint', checkpoint, '--out', '-'], /damaged\.safetensors/);
});
