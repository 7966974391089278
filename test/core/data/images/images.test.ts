import { createReadStream } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { prepareDataset } from '../../../../src/core/data/dataset/prepare.js';
import type { ImageSet } from '../../../../src/core/data/images/image-set.js';
import { openImages } from '../../../../src/core/data/images/images.js';
import { readNpy, writeNpy } from '../../../../src/core/formats/npy/npy.js';
import { fixture } from '../../../paths.js';

const cifar = fixture('sources/cifar-pixels.npy');

async function drain(set: ImageSet, size: number) {
  const data: Uint8Array[] = [];
  const [counts, labels, ids]: [number[], number[], string[]] = [[], [], []];
  for await (const batch of set.batches(size)) {
    data.push(batch.data);
    counts.push(batch.count);
    labels.push(...(batch.labels ?? []));
    ids.push(...batch.ids);
  }
  return { data: Buffer.concat(data), counts, labels, ids };
}

t.test('a dataset, an .npy file and a stream give the same pixels', async (t) => {
  const out = join(t.testdir(), 'data');
  const sources = [fixture('sources/ten.bin.gz')];
  await prepareDataset({
    sources,
    out,
    holdoutOut: '',
    resolution: 32,
    resize: 'pad',
    seed: 0,
    shardSize: 4,
    version: '0',
  });
  const wanted = Buffer.from((await readNpy(cifar)).data as Uint8Array);
  const stdin = createReadStream(cifar, { highWaterMark: 1000 }) as AsyncIterable<Uint8Array>;
  for (const [kind, path] of [
    ['dataset', out],
    ['npy', cifar],
    ['stream', '-'],
  ] as const) {
    const set = await openImages(path, { resolution: 32, stdin });
    t.match(set, { kind, path, count: 6, height: 32, width: 32, channels: 3 });
    t.match(String(set.digest), kind === 'stream' ? /undefined/ : /^[0-9a-f]{64}$/);
    const { data, counts, labels, ids } = await drain(set, 4);
    t.ok(data.equals(wanted), kind);
    t.same(counts, [4, 2]);
    t.same(ids, ['0', '1', '2', '3', '4', '5']);
    t.same(labels, kind === 'dataset' ? [3, 0, 9, 1, 1, 8] : []);
    if (kind !== 'stream') {
      t.ok(Buffer.concat([wanted.subarray(3072 * 5), wanted.subarray(0, 3072)]).equals(await set.random!([5, 0])));
    }
    await set.close();
  }
});

t.test('grey from colour and colour from grey', async (t) => {
  const dir = t.testdir();
  await writeNpy(join(dir, 'grey.npy'), [2, 1, 2], new Uint8Array([1, 2, 3, 4]));
  const colour = await openImages(join(dir, 'grey.npy'), { channels: 3 });
  t.same([...(await drain(colour, 9)).data], [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  t.equal(colour.channels, 3);
  const own = await openImages(join(dir, 'grey.npy'));
  t.match(own, { channels: 1, height: 1, width: 2 });
  await writeNpy(join(dir, 'colour.npy'), [1, 1, 2, 3], new Uint8Array([255, 0, 0, 0, 255, 0]));
  t.same([...(await drain(await openImages(join(dir, 'colour.npy'), { channels: 1 }), 9)).data], [76, 150]);
});

t.test('a folder of images: resized, or of one size', async (t) => {
  const dir = t.testdir({ same: { a: {}, b: {} }, mixed: {} });
  await cp(fixture('images/mixed/birds/sixteen-rgb.png'), join(dir, 'same/b/2.png'));
  await cp(fixture('images/mixed/cats/palette.gif'), join(dir, 'same/a/1.gif'));
  const set = await openImages(join(dir, 'same'));
  t.match(set, { kind: 'folder', count: 2, height: 8, width: 8, channels: 3, classes: ['a', 'b'] });
  const { data, labels, ids } = await drain(set, 1);
  t.same(
    [labels, ids],
    [
      [0, 1],
      ['a/1.gif', 'b/2.png'],
    ],
  );
  const all = (await readNpy(fixture('images/expected/pad-8.npy'))).data as Uint8Array;
  const names = (await readFile(fixture('images/expected/pad-8.txt'), 'utf8')).split('\n');
  const wanted = ['cats/palette.gif', 'birds/sixteen-rgb.png'].map((name) =>
    all.subarray(names.indexOf(name) * 192, (names.indexOf(name) + 1) * 192),
  );
  t.ok(data.equals(Buffer.concat(wanted)));

  await cp(fixture('images/large.png'), join(dir, 'same/b/3.png'));
  await t.rejects(drain(await openImages(join(dir, 'same')), 9), {
    message: /one size, 8 x 8 .*got 72 x 48 in .*3.png/,
  });
  const resized = await openImages(join(dir, 'same'), { resolution: 4, channels: 1 });
  t.equal((await drain(resized, 2)).data.length, 3 * 16);
  t.not(resized.digest, set.digest, 'the digest follows the content');
});

t.test('what is no set of images is named', async (t) => {
  const dir = t.testdir({ empty: {}, 'x.txt': '', bad: {} });
  const rejects = (path: string, message: RegExp, options = {}) =>
    t.rejects(openImages(path, options), { name: 'UserError', message }, path);
  await rejects(join(dir, 'nowhere'), /no such file or folder/);
  await rejects(join(dir, 'x.txt'), /got another file/);
  await rejects(join(dir, 'empty'), /expected images .*got none/);
  await rejects(cifar, /images of 64 x 64 .*got 32 x 32/, { resolution: 64 });
  await rejects(fixture('formats/float32.npy'), /uint8 images, values 0 to 255 .*got float32/);
  await writeNpy(join(dir, 'planes.npy'), [2, 3, 4, 5], new Uint8Array(120));
  await rejects(join(dir, 'planes.npy'), /shape \[n, height, width, 1 or 3\] .*got \[2,3,4,5\]/);
  await writeNpy(join(dir, 'none.npy'), [0, 4, 4, 3], new Uint8Array(0));
  await rejects(join(dir, 'none.npy'), /at least one image/);
  await writeFile(join(dir, 'bad/a.png'), 'no image');
  await rejects(join(dir, 'bad'), /an image for .*a.png/);
});
