import { join } from 'node:path';
import t from 'tap';
import { preset } from '../../../../src/core/config/presets.js';
import { openDataset } from '../../../../src/core/data/dataset/dataset.js';
import { integerRandom, permutation } from '../../../../src/core/data/random.js';
import { evaluatedImages } from '../../../../src/core/train/evaluation/evaluated-images.js';
import { digits } from '../../../commands/run.js';

const dataset = await openDataset(await digits(join(t.testdir(), 'data'), 30));
const { model } = preset('tiny');
t.teardown(() => dataset.close());

async function all(count: number, batchSize: number, of = model) {
  const images = evaluatedImages(dataset, of, count);
  const [data, labels, sizes]: [Uint8Array[], number[], number[]] = [[], [], []];
  for await (const batch of images.batches(batchSize)) {
    data.push(batch.data.slice());
    labels.push(...batch.labels!);
    sizes.push(batch.count);
  }
  return { images, data: Buffer.concat(data), labels, sizes };
}

t.test('a random sample without repetition, with its labels, whatever the batch size', async (t) => {
  const order = permutation(30, integerRandom(0, 0)).slice(0, 20);
  const known = (await dataset.labels())!;
  const { images, data, labels, sizes } = await all(20, 8);
  t.match(images, { count: 20, height: 32, width: 32, channels: 1 });
  t.same(sizes, [8, 8, 4]);
  t.ok(data.equals(Buffer.from(await dataset.gather(order))));
  t.same(
    labels,
    Array.from(order, (index) => known[index]),
  );
  const other = await all(20, 20);
  t.ok(other.data.equals(data));
  t.same(other.labels, labels);
});

t.test('no more than there are', async (t) => {
  const { images, data, sizes } = await all(1000, 64);
  t.equal(images.count, 30);
  t.same(sizes, [30]);
  t.equal(data.length, 30 * 1024);
});

t.test('larger images are made smaller', async (t) => {
  const smaller = { ...model, resolution: 16, encoder: { ...model.encoder, resolution: 16 } } as typeof model;
  const { images, data } = await all(10, 4, smaller);
  t.match(images, { height: 16, width: 16 });
  t.equal(data.length, 10 * 256);
  t.ok(
    data.some((value) => value > 128),
    'something is on them',
  );
});
