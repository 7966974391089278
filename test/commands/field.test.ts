/** Situations that users of such tools have reported: each by the real command, on real files. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import { bigbigan, fixture, root, run } from '../paths.js';
import { digits, fails, succeed, trained } from './run.js';

const square = (value: number, options: object = {}) =>
  sharp(Buffer.alloc(12 * 12 * 3, value), { raw: { width: 12, height: 12, channels: 3 }, ...options }).png();

/** A folder of class folders with one image of each grey value. */
async function images(dir: string, classes: Record<string, number[]>): Promise<string> {
  for (const [name, values] of Object.entries(classes)) {
    mkdirSync(join(dir, name), { recursive: true });
    for (const value of values) await square(value).toFile(join(dir, name, `${value}.png`));
  }
  return dir;
}

const prepare = (sources: string[], out: string, ...more: string[]) =>
  bigbigan(['prep-data', ...sources, '--out', out, '--resolution', '8', ...more]);
const labelsOf = async (out: string) => [...(await readNpy(join(out, 'labels-00000-of-00001.npy'))).data].map(Number);

t.test('labels that changed at the same size are no up-to-date dataset', async (t) => {
  const dir = await images(t.testdir(), { set: [10, 20] });
  const csv = join(dir, 'list.csv');
  writeFileSync(csv, 'path,label\nset/10.png,cat\nset/20.png,dog\n');
  const out = join(dir, 'out');
  t.equal((await prepare([csv], out)).code, 0);
  t.match((await prepare([csv], out)).stderr, /up to date/);
  writeFileSync(csv, 'path,label\nset/10.png,dog\nset/20.png,cat\n');
  const again = await prepare([csv], out);
  t.equal(again.code, 1);
  t.match(again.stderr, /files that have changed since/);
  t.equal((await prepare([csv], out, '--force')).code, 0);
  t.same(await labelsOf(out), [1, 0]);
});

t.test('--force deletes nothing that is not ours', async (t) => {
  const dir = await images(t.testdir(), { sg: [10, 20] });
  const stylegan = join(dir, 'sg');
  writeFileSync(join(stylegan, 'dataset.json'), JSON.stringify({ labels: [['10.png', 1]] }));
  await fails(
    t,
    1,
    ['prep-data', join(stylegan, '10.png'), '--out', stylegan, '--resolution', '8', '--force'],
    /not a folder of this kind|not .*an image|expected/,
  );
  t.same(readdirSync(stylegan).sort(), ['10.png', '20.png', 'dataset.json']);
  const source = await images(join(dir, 'photos'), { a: [1], b: [2] });
  const out = join(dir, 'out');
  t.equal((await prepare([source], out)).code, 0);
  writeFileSync(join(out, 'notes.txt'), 'mine');
  const refused = await prepare([source], out, '--force', '--seed', '1');
  t.equal(refused.code, 1);
  t.match(refused.stderr, /it also holds notes\.txt/);
  t.equal(readFileSync(join(out, 'notes.txt'), 'utf8'), 'mine');
});

t.test('samples that are not of 8 or 16 bits are no image', async (t) => {
  const dir = t.testdir();
  mkdirSync(join(dir, 'set'));
  await square(9).toFile(join(dir, 'set', 'good.png'));
  await run('python3', ['-c', TIFF, join(dir, 'set', 'float.tif')]);
  const { code, stderr } = await prepare([join(dir, 'set')], join(dir, 'out'));
  t.equal(code, 0, stderr);
  t.match(stderr, /float\.tif skipped: samples of type float/);
  const strict = await prepare([join(dir, 'set')], join(dir, 'strict'), '--strict');
  t.equal(strict.code, 1);
});

/** A TIFF of 4×4 floating-point numbers, by hand. */
const TIFF = `
import struct, sys
tags = [(256, 3, 1, 4), (257, 3, 1, 4), (258, 3, 1, 32), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 134),
        (277, 3, 1, 1), (278, 3, 1, 4), (279, 4, 1, 64), (339, 3, 1, 3)]
body = b''.join(struct.pack('<HHII', *tag) for tag in tags)
pixels = struct.pack('<16f', *[i / 16 for i in range(16)])
open(sys.argv[1], 'wb').write(b'II*\\0' + struct.pack('<IH', 8, len(tags)) + body + struct.pack('<I', 0) + pixels)
`;

t.test('a zip member with another checksum is not taken', async (t) => {
  const dir = await images(t.testdir(), { 'set/a': [1], 'set/b': [2] });
  await run('python3', [
    '-c',
    'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[1])',
    join(dir, 'set'),
  ]);
  const path = join(dir, 'set.zip');
  const bytes = readFileSync(path);
  // The name's last place is in the directory, 46 bytes behind the start of its entry; the checksum is 16 behind it.
  bytes[bytes.lastIndexOf('a/1.png') - 46 + 16] ^= 1;
  writeFileSync(path, bytes);
  const { code, stderr } = await prepare([path], join(dir, 'out'), '--strict');
  t.equal(code, 1);
  t.match(stderr, /the checksum/);
});

t.test('links in a tar are followed within it', async (t) => {
  const dir = await images(t.testdir(), { 'set/a': [1, 2], 'set/b': [3] });
  const script = `cd ${dir}/set && ln a/1.png b/same.png && ln -s ../a/2.png b/soft.png && ln -s nowhere.png b/gone.png && tar -cf ../set.tar .`;
  t.equal((await run('sh', ['-c', script])).code, 0);
  const folder = await prepare([join(dir, 'set')], join(dir, 'folder'), '--json');
  const tar = await prepare([join(dir, 'set.tar')], join(dir, 'tar'), '--json');
  const { count, skipped, classes } = JSON.parse(folder.stdout);
  t.same([count, skipped, classes], [5, 1, 2]);
  t.match(JSON.parse(tar.stdout), { count, skipped, classes });
  t.match(tar.stderr, /b\/gone\.png skipped: it is a link to b\/nowhere\.png, which is not in the archive/);
});

t.test('an empty folder, the current one and a link are filled in place', async (t) => {
  const dir = await images(t.testdir(), { 'set/a': [1], 'set/b': [2] });
  mkdirSync(join(dir, 'disk'));
  symlinkSync(join(dir, 'disk'), join(dir, 'link'));
  mkdirSync(join(dir, 'here'));
  t.equal((await prepare([join(dir, 'set')], join(dir, 'link'))).code, 0);
  t.ok(existsSync(join(dir, 'disk', 'dataset.json')));
  const args = ['prep-data', '../set', '--out', '.', '--resolution', '8'];
  const here = await bigbigan(args, { cwd: join(dir, 'here') });
  t.equal(here.code, 0, here.stderr);
  t.ok(existsSync(join(dir, 'here', 'dataset.json')));
  t.match(await prepare([join(dir, 'set')], ''), { code: 1, stderr: /expected the name of a folder for --out/ });
});

t.test('CSV as people write it', async (t) => {
  const dir = await images(t.testdir(), { set: [10, 20] });
  const write = (name: string, content: string | Buffer) => {
    const path = join(dir, name);
    writeFileSync(path, content);
    return path;
  };
  const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
  const fine = {
    semicolons: write('semicolons.csv', 'filename;labels\r\nset/10.png;b\r\nset/20.png;a\r\n'),
    tabs: write('tabs.csv', 'image\tclass_id\nset/10.png\t1\nset/20.png\t0\n'),
    utf16: write('utf16.csv', utf16('path,target\nset/10.png,b\nset/20.png,a\n')),
  };
  for (const [name, path] of Object.entries(fine)) {
    const { code, stderr } = await prepare([path], join(dir, name));
    t.equal(code, 0, stderr);
    t.same(await labelsOf(join(dir, name)), [1, 0], name);
  }
  const refused = {
    'a column of labels': write('one-hot.csv', 'path,cat,dog\nset/10.png,1,0\nset/20.png,0,1\n'),
    'class numbers from 0 on': write('floats.csv', 'path,label\nset/10.png,2.0\nset/20.png,10.0\n'),
  };
  for (const [what, path] of Object.entries(refused)) {
    const { code, stderr } = await prepare([path], join(dir, 'no'));
    t.equal(code, 1);
    t.match(stderr, new RegExp(`expected .*${what}`));
  }
});

t.test('numbers beyond what is possible are refused by the parser', async (t) => {
  for (const args of [
    ['generate', '--seeds', '9007199254740993'],
    ['generate', '--count', '3000000000'],
    ['generate', '--columns', '99999999'],
    ['prep-data', 'x', '--resolution', '40000'],
    ['knn', '--threads', '100000'],
    ['train', '--steps', '99999999999'],
    ['fid', 'a', 'b', '--batch-size', '1e9'],
    ['linear-probe', '--seeds', '0-99999999999'],
  ]) {
    const { code, stderr } = await bigbigan(args);
    t.equal(code, 2, args.join(' '));
    t.match(stderr, /error: option .* is invalid/, args.join(' '));
  }
});

t.test('names from elsewhere do not reach the terminal as they are', async (t) => {
  const dir = t.testdir();
  mkdirSync(join(dir, 'set'));
  await square(1).toFile(join(dir, 'set', 'a.png'));
  writeFileSync(join(dir, 'set', 'b\u001b[31m.png'), 'no image');
  const { stderr } = await prepare([join(dir, 'set')], join(dir, 'out'));
  t.notOk(stderr.includes('\u001b'));
  t.match(stderr, /b\\x1b\[31m\.png skipped/);
});

const dir = t.testdir();
const data = await digits(join(dir, 'data'), 60);
const model = await trained(join(dir, 'run'), data);
await succeed(['encode', '--run', model, '--data', data, '--out', join(dir, 'features'), '--quiet']);

/** Features of three classes with these names, as `encode` and NumPy would write them. */
async function features(name: string, classes: string[]): Promise<string> {
  const folder = join(dir, name);
  mkdirSync(folder);
  const rows = Float32Array.from({ length: 60 }, (_, i) => (i % 3) + Math.sin(i) / 10);
  await writeNpy(join(folder, 'avepool.npy'), [30, 2], rows);
  await writeNpy(
    join(folder, 'labels.npy'),
    [30],
    Int32Array.from({ length: 30 }, (_, i) => i % 3),
  );
  writeFileSync(join(folder, 'features.json'), JSON.stringify({ source: { classes } }));
  return folder;
}

t.test('a classifier knows the names of its classes', async (t) => {
  const [insects, fruits] = [
    await features('insects', ['ant', 'bee', 'fly']),
    await features('fruits', ['fig', 'bee', 'fly']),
  ];
  const probe = join(dir, 'probe.safetensors');
  await succeed([
    'linear-probe',
    '--train',
    insects,
    '--test',
    insects,
    '--solver',
    'lbfgs',
    '--out',
    probe,
    '--quiet',
  ]);
  t.equal((await bigbigan(['linear-probe', '--apply', probe, '--test', insects])).code, 0);
  await fails(t, 1, ['linear-probe', '--apply', probe, '--test', fruits], /expected class 0 to be "ant" as in .*probe/);
});

t.test('a result of all rows is the only shard of one', async (t) => {
  const part = join(dir, 'part.json');
  const folder = join(dir, 'insects');
  const { stdout } = await succeed([
    'knn',
    '--train',
    folder,
    '--test',
    folder,
    '--k',
    '1',
    '--shard',
    '1/1',
    '--json',
  ]);
  writeFileSync(part, stdout);
  const merged = await bigbigan(['knn', '--merge', part, '--json']);
  t.equal(merged.code, 0, merged.stderr);
  t.same(JSON.parse(merged.stdout).top1, JSON.parse(stdout).top1);
});

t.test('a standard output that is full is said, without a stack', { skip: !existsSync('/dev/full') }, async (t) => {
  const folder = join(dir, 'insects');
  const program = join(root, 'bin/bigbigan.js');
  const command = `${process.execPath} ${program} knn --train ${folder} --test ${folder} --k 1 --json --quiet > /dev/full`;
  const { code, stderr } = await run('sh', ['-c', command]);
  t.equal(code, 1);
  t.match(stderr, /standard output cannot be written: ENOSPC/);
  t.notMatch(stderr, /\n\s+at /);
});

t.test('a config.json that differs from the checkpoint is an error', async (t) => {
  const copy = join(dir, 'edited');
  cpSync(model, copy, { recursive: true });
  const path = join(copy, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  config.train.learningRate.encoder *= 2;
  writeFileSync(path, JSON.stringify(config));
  await fails(
    t,
    2,
    ['train', '--data', data, '--run', copy, '--steps', '4', '--eager', '--quiet'],
    /was begun with train\.learningRate\.encoder/,
  );
});

t.test('a variable that is set to nothing is not set', async (t) => {
  const args = ['fid', join(dir, 'insects'), join(dir, 'insects')];
  const { code, stderr } = await bigbigan(args, { env: { BIGBIGAN_INCEPTION: '', BIGBIGAN_THREADS: '' } });
  t.equal(code, 0, stderr);
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  t.test(`${signal} leaves nothing half written`, async (t: Test) => {
    const out = join(dir, `stopped-${signal}`);
    const args = ['generate', '--run', model, '--count', '100000', '--batch-size', '50', '--out', `${out}.npy`];
    const child = spawn(process.execPath, [join(root, 'bin/bigbigan.js'), ...args, '--eager'], { stdio: 'ignore' });
    const begun = () => readdirSync(dir).some((name) => name.startsWith(`.stopped-${signal}`));
    while (!begun() && child.exitCode === null) await new Promise((done) => setTimeout(done, 50));
    child.kill(signal);
    const [status] = await once(child, 'exit');
    t.equal(status, code);
    t.same(
      readdirSync(dir).filter((name) => name.includes(`stopped-${signal}`)),
      [],
    );
  });
}

t.test('on a terminal, an error ends the command too', async (t) => {
  const set = await images(t.testdir(), { a: Array.from({ length: 40 }, (_, i) => i), b: [] });
  writeFileSync(join(set, 'b', 'broken.png'), 'no image');
  const terminal = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
  const command = [process.execPath, join(root, 'bin/bigbigan.js'), 'prep-data', set, '--out', join(set, 'out')];
  const args = ['60', 'python3', '-c', terminal, ...command, '--resolution', '8', '--strict'];
  const { code, stdout } = await run('timeout', args, { env: { TERM: 'xterm' } });
  t.equal(code, 1, 'not 124, which is the limit of time');
  t.match(stdout, /=.*\d+\/41/, 'there was a bar');
  t.match(stdout, /broken\.png/);
});

t.test('images of the fixtures are still read', async (t) => {
  const out = join(t.testdir(), 'out');
  t.equal((await prepare([fixture('images/mixed')], out)).code, 0);
});
