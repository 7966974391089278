import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openDataset } from '../../../../src/core/data/dataset/dataset.js';
import { prepareDataset } from '../../../../src/core/data/dataset/prepare.js';
import { createLoader } from '../../../../src/core/data/loading/loader.js';
import { readNpy } from '../../../../src/core/formats/npy/npy.js';
import { fixture } from '../../../paths.js';

async function tiny(t: Test) {
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
  const dataset = await openDataset(out);
  t.teardown(() => dataset.close());
  return dataset;
}

t.test('every epoch shows every image once, each in its own order', async (t) => {
  const loader = createLoader(await tiny(t), { batchSize: 4, seed: 5 });
  // 6 images in batches of 4: three steps are two epochs.
  const seen = [0, 1, 2].flatMap((step) => [...loader.indices(step)]);
  for (const epoch of [seen.slice(0, 6), seen.slice(6)]) t.same([...epoch].sort(), [0, 1, 2, 3, 4, 5]);
  const orders = Array.from({ length: 8 }, (_, epoch) => String(seenIn(loader, epoch)));
  t.ok(new Set(orders).size > 6, 'orders differ');
  function seenIn({ indices }: typeof loader, epoch: number) {
    return Array.from({ length: 6 }, (_, i) => indices(Math.floor((epoch * 6 + i) / 4))[(epoch * 6 + i) % 4]);
  }
});

t.test('the batch of a step depends on seed and step alone', async (t) => {
  const dataset = await tiny(t);
  const run = createLoader(dataset, { batchSize: 4, seed: 5 });
  const batches: Buffer[] = [];
  for (let step = 0; step < 20; step++) batches.push(Buffer.from((await run.batch(step)).images));
  const resumed = createLoader(dataset, { batchSize: 4, seed: 5 });
  for (const step of [17, 3, 18, 0]) t.ok(batches[step].equals((await resumed.batch(step)).images), `step ${step}`);
  const other = createLoader(dataset, { batchSize: 4, seed: 6 });
  t.notOk(batches[0].equals((await other.batch(0)).images));
});

t.test('images are those of the dataset', async (t) => {
  const pixels = (await readNpy(fixture('sources/cifar-pixels.npy'))).data as Uint8Array;
  const loader = createLoader(await tiny(t), { batchSize: 7, seed: 1 });
  for (let step = 0; step < 20; step++) {
    const { images } = await loader.batch(step);
    loader.indices(step).forEach((index, i) => {
      const wanted = Buffer.from(pixels.subarray(index * 3072, (index + 1) * 3072));
      if (!wanted.equals(images.subarray(i * 3072, (i + 1) * 3072))) t.fail(`step ${step}, image ${i}`);
    });
  }
});

t.test('a batch is a fresh array', async (t) => {
  const loader = createLoader(await tiny(t), { batchSize: 6, seed: 0 });
  const first = (await loader.batch(0)).images;
  const copy = Buffer.from(first);
  first.fill(0);
  t.ok(copy.equals((await loader.batch(0)).images));
});

t.test('a dataset too large for memory gives the same batches', async (t) => {
  const dataset = await tiny(t);
  const small = createLoader(dataset, { batchSize: 4, seed: 5 });
  const large = createLoader(dataset, { batchSize: 4, seed: 5, memoryBytes: 0 });
  for (const step of [0, 1, 2, 7, 8, 0]) {
    t.ok(Buffer.from((await small.batch(step)).images).equals((await large.batch(step)).images), `step ${step}`);
  }
});
