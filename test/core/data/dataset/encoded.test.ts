/** Datasets that keep the encoded images. */

import { createHash } from 'node:crypto';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openDataset } from '../../../../src/core/data/dataset/dataset.js';
import { type PrepareOptions, prepareDataset } from '../../../../src/core/data/dataset/prepare.js';
import { openImages } from '../../../../src/core/data/images/images.js';
import { readNpy, writeNpy } from '../../../../src/core/formats/npy/npy.js';
import { fixture, run } from '../../../paths.js';

const settings = { seed: 0, version: '0', holdoutOut: '' } as const;
const mixed = fixture('images/mixed');
const ten = fixture('sources/ten.bin.gz');

async function prepared(dir: string, source: string, options: Partial<PrepareOptions> = {}): Promise<string> {
  await rm(dir, { recursive: true, force: true });
  await prepareDataset({ ...settings, sources: [source], out: dir, shardSize: 3, ...options });
  return dir;
}

/** A file of a dataset in another form, with a manifest that says so. */
async function exchange(dir: string, file: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
  const old = await readFile(join(dir, file));
  const changed = change(Buffer.from(old));
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const manifest = await readFile(join(dir, 'dataset.json'), 'utf8');
  await writeFile(join(dir, file), changed);
  await writeFile(join(dir, 'dataset.json'), manifest.replace(digest(old), digest(changed)));
}

t.test('the archives hold the files as they were, for tar and by the index', async (t) => {
  const dir = await prepared(join(t.testdir(), 'data'), mixed);
  const ids = (await readFile(fixture('images/expected/pad-8.txt'), 'utf8')).trim().split('\n');
  const extensions = ids.map((id) => id.split('.').pop()!.toLowerCase().replace('jpeg', 'jpg'));
  for (const [shard, rows] of [
    [0, 3],
    [1, 3],
    [2, 2],
  ] as const) {
    const tar = join(dir, `images-0000${shard}-of-00003.tar`);
    const { stdout, stderr, code } = await run('tar', ['-tf', tar]);
    const first = 3 * shard;
    const keys = Array.from({ length: rows }, (_, i) => `0000000${first + i}`);
    t.same([code, stderr], [0, '']);
    t.equal(stdout, keys.map((key, i) => `${key}.${extensions[first + i]}\n${key}.cls\n`).join(''));
    const index = await readNpy(join(dir, `index-0000${shard}-of-00003.npy`));
    t.same([index.dtype, index.shape], ['int64', [rows, 2]]);
    const bytes = await readFile(tar);
    for (const [i, key] of keys.entries()) {
      const wanted = await readFile(join(mixed, ids[first + i]));
      const [offset, length] = [2 * i, 2 * i + 1].map((at) => Number(index.data[at]));
      t.ok(bytes.subarray(offset, offset + length).equals(wanted), `${key} by the index`);
      t.ok((await run('tar', ['-xOf', tar, `${key}.${extensions[first + i]}`])).bytes.equals(wanted), `${key} by tar`);
      t.equal((await run('tar', ['-xOf', tar, `${key}.cls`])).stdout, ids[first + i].startsWith('cats') ? '1' : '0');
    }
  }
});

t.test('seen at a resolution, the images are those that prep-data makes at it', async (t) => {
  const dir = t.testdir();
  for (const [source, resolution, channels] of [
    [mixed, 8, 3],
    [mixed, 5, 1],
    [ten, 32, 3],
    [ten, 20, 3],
  ] as const) {
    const encoded = await openDataset(await prepared(join(dir, 'encoded'), source), { resolution, channels });
    const pixels = await openDataset(await prepared(join(dir, 'pixels'), source, { resolution, channels }));
    t.match(encoded, { storage: 'encoded', count: pixels.count, height: resolution, width: resolution, channels });
    const wanted = Buffer.from(await pixels.read(0, pixels.count));
    t.ok(wanted.equals(await encoded.read(0, encoded.count)), `${source} at ${resolution}`);
    const some = [5, 0, 3, 3];
    t.ok(Buffer.from(await pixels.gather(some)).equals(await encoded.gather(some)));
    t.same(await encoded.labels(), await pixels.labels());
    t.same(await encoded.ids(), await pixels.ids());
    t.equal(pixels.storage, 'pixels');
    await Promise.all([encoded.close(), pixels.close()]);
  }
  const tenPixels = (await readNpy(fixture('sources/cifar-pixels.npy'))).data as Uint8Array;
  const lossless = await openDataset(join(dir, 'encoded'), { resolution: 32 });
  t.ok(Buffer.from(await lossless.read(0, 6)).equals(tenPixels), 'pixels became PNG and come back');
  await lossless.close();
});

t.test('grey sources stay grey unless asked otherwise', async (t) => {
  const dir = await prepared(join(t.testdir(), 'data'), fixture('sources/tiny-images-idx3-ubyte.gz'));
  const grey = await openDataset(dir, { resolution: 5 });
  const colour = await openDataset(dir, { resolution: 5, channels: 3 });
  t.same([grey.channels, colour.channels], [1, 3]);
  const [one, three] = [await grey.read(0, 10), await colour.read(0, 10)];
  t.same(
    [...three],
    [...one].flatMap((value) => [value, value, value]),
  );
  await Promise.all([grey.close(), colour.close()]);
});

t.test('the same images have the same digest wherever they came from', async (t) => {
  const dir = t.testdir();
  await cp(mixed, join(dir, 'elsewhere'), { recursive: true });
  const digest = async (source: string, options = {}) =>
    (await openDataset(await prepared(join(dir, 'data'), source, options), { resolution: 4 })).digest;
  const first = await digest(mixed);
  t.equal(await digest(join(dir, 'elsewhere')), first);
  t.not(await digest(mixed, { limit: 6 }), first);
});

t.test('as images for the commands, which state a resolution', async (t) => {
  const dir = await prepared(join(t.testdir(), 'data'), mixed);
  await t.rejects(openDataset(dir), {
    name: 'UserError',
    message: /a resolution for .*data, whose images keep their own sizes, got none/,
  });
  await t.rejects(openImages(dir), { name: 'UserError', message: /a resolution for .*data/ });
  const images = await openImages(dir, { resolution: 6, channels: 1 });
  t.match(images, { kind: 'dataset', count: 8, height: 6, width: 6, channels: 1, classes: ['birds', 'cats'] });
  const sizes: number[] = [];
  for await (const { data, count, labels, ids } of images.batches(5)) {
    sizes.push(count);
    t.same([data.length, labels!.length, ids.length], [36 * count, count, count]);
  }
  t.same(sizes, [5, 3]);
  t.equal((await images.random!([7, 7])).length, 72);
  await images.close();
});

t.test('damage is named by file and row', async (t) => {
  const dir = join(t.testdir(), 'data');
  const open = async () => openDataset(dir, { resolution: 8 });
  const tar = 'images-00001-of-00003.tar';
  const index = 'index-00001-of-00003.npy';
  const reads = async (message: RegExp, at = 3) => {
    const dataset = await open();
    await t.rejects(dataset.read(at, 1), { name: 'UserError', message }, String(message));
    t.equal((await dataset.read(0, 3)).length, 3 * 192, 'the other shard is sound');
    await dataset.close();
  };
  await prepared(dir, mixed);
  const bytes = await readFile(join(dir, tar));
  await writeFile(join(dir, tar), bytes.fill(1, 520, 530));
  await reads(/SHA-256 .* for .*images-00001-of-00003.tar/);
  await prepared(dir, mixed);
  await writeFile(join(dir, index), (await readFile(join(dir, index))).subarray(0, 100));
  await reads(/SHA-256 .* for .*index-00001-of-00003.npy/);

  // Damage that the digests do not show, as in a set too large to have them checked.
  await prepared(dir, mixed);
  await exchange(dir, tar, (whole) => whole.fill(1, 512, 600));
  await reads(/an image for birds\/sixteen-rgb.png, row 0 of .*images-00001-of-00003.tar, got/);
  await prepared(dir, mixed);
  await exchange(dir, tar, (whole) => whole.subarray(0, whole.length - 1536));
  await reads(/a place in the \d+ bytes of images-00001-of-00003.tar for row 2 of .*index-00001/);
  for (const [places, message] of [
    [[512, 700, 1024, 142, 2560, 9], /row 1 of .*index-00001-of-00003.npy, got 142 bytes from 1024 on/],
    [[512, -1, 2560, 142, 4096, 9], /row 0 of .*got -1 bytes/],
    [[0, 9, 2560, 142, 4096, 9], /row 0 of .*from 0 on/],
    [[513, 9, 2560, 142, 4096, 9], /row 0 of .*from 513 on/],
    [[512, 9, 2560, 10 ** 15, 4096, 9], /row 1 of .*got 1000000000000000 bytes/],
    [[512, 9, 2560, 9], /int64 \[3,2\] as dataset.json says for .*index-00001-of-00003.npy, got int64 \[2,2\]/],
  ] as const) {
    await prepared(dir, mixed);
    const other = join(dir, 'other.npy');
    await writeNpy(other, [places.length / 2, 2], BigInt64Array.from(places, BigInt));
    const content = await readFile(other);
    await exchange(dir, index, () => content);
    await reads(message);
  }

  await prepared(dir, mixed);
  const manifest = await readFile(join(dir, 'dataset.json'), 'utf8');
  for (const [from, to, message] of [
    ['"storage": "encoded"', '"storage": "zipped"', /storage pixels or encoded for .*dataset.json, got "zipped"/],
    ['"storage": "encoded"', '"storage": "pixels"', /counts, sizes and shards that agree/],
    ['"index": {', '"other": {', /counts, sizes and shards that agree/],
  ] as const) {
    await writeFile(join(dir, 'dataset.json'), manifest.replace(from, to));
    await t.rejects(open(), { name: 'UserError', message }, to);
  }
  await writeFile(join(dir, 'dataset.json'), manifest);
  await rm(join(dir, index));
  await t.rejects((await open()).read(3, 1), { message: /the shard index-00001-of-00003.npy .*no such file/ });
  await rm(join(dir, tar));
  await t.rejects(open(), { message: /the shard images-00001-of-00003.tar .*no such file/ });
});

t.test('a manifest from before there were encoded images', async (t) => {
  const dir = await prepared(join(t.testdir(), 'data'), ten, { resolution: 32 });
  const path = join(dir, 'dataset.json');
  const text = await readFile(path, 'utf8');
  t.match(text, '  "storage": "pixels",\n');
  await writeFile(path, text.replace('  "storage": "pixels",\n', ''));
  const dataset = await openDataset(dir);
  t.match(dataset, { storage: 'pixels', count: 6, height: 32 });
  t.equal((await dataset.read(0, 6)).length, 6 * 3072);
  await dataset.close();
});
