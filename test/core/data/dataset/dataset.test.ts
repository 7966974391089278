import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openDataset } from '../../../../src/core/data/dataset/dataset.js';
import { prepareDataset } from '../../../../src/core/data/dataset/prepare.js';
import { readNpy } from '../../../../src/core/formats/npy/npy.js';
import { fixture } from '../../../paths.js';

const settings = { resolution: 32, resize: 'pad', seed: 0, version: '0', holdoutOut: '' } as const;

async function prepared(dir: string, shardSize = 4): Promise<string> {
  const out = join(dir, 'data');
  await prepareDataset({ ...settings, sources: [fixture('sources/ten.bin.gz')], out, shardSize });
  return out;
}

t.test('reads across shards, in and out of order', async (t) => {
  const dataset = await openDataset(await prepared(t.testdir()));
  const wanted = (await readNpy(fixture('sources/cifar-pixels.npy'))).data as Uint8Array;
  t.match(dataset, { count: 6, height: 32, width: 32, channels: 3 });
  t.equal(dataset.manifest.shards.length, 2);
  const image = (i: number) => wanted.subarray(i * 3072, (i + 1) * 3072);
  t.ok(Buffer.from(await dataset.read(0, 6)).equals(Buffer.from(wanted)));
  t.ok(Buffer.from(await dataset.read(3, 2)).equals(Buffer.concat([image(3), image(4)])));
  t.ok(Buffer.from(await dataset.gather([5, 0, 5])).equals(Buffer.concat([image(5), image(0), image(5)])));
  t.same(await dataset.labels(), new Int32Array([3, 0, 9, 1, 1, 8]));
  t.same(await dataset.ids(), ['0', '1', '2', '3', '4', '5']);
  await t.rejects(dataset.read(5, 2), RangeError);
  await dataset.close();
});

t.test('the digest is that of the content, wherever it came from', async (t) => {
  const dir = t.testdir();
  const first = await openDataset(await prepared(join(dir, 'a')));
  await cp(fixture('sources/ten.bin.gz'), join(dir, 'elsewhere.bin.gz'));
  const sources = [join(dir, 'elsewhere.bin.gz')];
  await prepareDataset({ ...settings, sources, out: join(dir, 'b'), shardSize: 4 });
  await prepareDataset({ ...settings, sources, out: join(dir, 'c'), shardSize: 4, limit: 5 });
  t.equal((await openDataset(join(dir, 'b'))).digest, first.digest);
  t.not((await openDataset(join(dir, 'c'))).digest, first.digest);
});

t.test('damage is found before a number comes out', async (t) => {
  const dir = t.testdir();
  const fresh = async () => {
    await rm(join(dir, 'data'), { recursive: true, force: true });
    const out = await prepared(dir);
    return { out, shard: join(out, 'images-00001-of-00002.npy'), manifest: join(out, 'dataset.json') };
  };
  const flipped = await fresh();
  const bytes = await readFile(flipped.shard);
  bytes[bytes.length - 1] ^= 1;
  await writeFile(flipped.shard, bytes);
  const dataset = await openDataset(flipped.out);
  t.equal((await dataset.read(0, 4)).length, 4 * 3072, 'the other shard is sound');
  await t.rejects(dataset.read(0, 6), { name: 'UserError', message: /SHA-256 .* for .*images-00001-of-00002.npy/ });
  await dataset.close();

  const short = await fresh();
  await truncate(short.shard, 1000);
  await t.rejects((await openDataset(short.out)).read(4, 1), { message: /SHA-256/ });
  const missing = await fresh();
  await rm(missing.shard);
  await t.rejects(openDataset(missing.out), { message: /the shard images-00001-of-00002.npy .*no such file/ });

  const edited = await fresh();
  const text = await readFile(edited.manifest, 'utf8');
  for (const [from, to, message] of [
    ['"count": 6', '"count": 7', /counts, sizes and shards that agree/],
    ['"images-00001', '"../images-00001', /counts, sizes and shards that agree/],
    ['bigbigan dataset 1', 'bigbigan dataset 9', /the format "bigbigan dataset 1"/],
    ['{', '', /expected JSON/],
  ] as const) {
    await writeFile(edited.manifest, text.replace(from, to));
    await t.rejects(openDataset(edited.out), { name: 'UserError', message }, to);
  }
  await writeFile(edited.manifest, text.replaceAll('"height": 32', '"height": 16'));
  await t.rejects((await openDataset(edited.out)).read(0, 1), { message: /uint8 \[4,16,32,3\] as dataset.json says/ });
  await t.rejects(openDataset(join(dir, 'nowhere')), { message: /a dataset folder .*no dataset.json/ });
});
