/** Loaders whose batches are decoded and cropped in threads. */

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { cropImage, decodeAsIs, encodePng } from '../../../../src/core/data/codec.js';
import { type Dataset, type DatasetView, openDataset } from '../../../../src/core/data/dataset/dataset.js';
import { type PrepareOptions, prepareDataset } from '../../../../src/core/data/dataset/prepare.js';
import { type Crop, cropBox, cropRandom } from '../../../../src/core/data/loading/crop.js';
import { createLoader, type LoaderOptions } from '../../../../src/core/data/loading/loader.js';
import { fixture, root, run } from '../../../paths.js';

const mixed = fixture('images/mixed');
const ten = fixture('sources/ten.bin.gz');

async function opened(t: Test, source: string, options: Partial<PrepareOptions> = {}, view?: DatasetView) {
  const out = join(t.testdir(), 'data');
  await prepareDataset({ sources: [source], out, holdoutOut: '', seed: 0, shardSize: 3, version: '0', ...options });
  const dataset = await openDataset(out, view);
  t.teardown(() => dataset.close());
  return dataset;
}

/** The bytes of some steps' batches, by a loader of their own. */
async function batches(dataset: Dataset, options: Partial<LoaderOptions>, steps: number[]): Promise<Buffer[]> {
  const loader = createLoader(dataset, { batchSize: 4, seed: 5, ...options });
  const result: Buffer[] = [];
  for (const step of steps) result.push(Buffer.from((await loader.batch(step)).images));
  await loader.close();
  return result;
}

t.test('a crop is the part that seed, step and place say, of the image that the order says', async (t) => {
  const pixels = await opened(t, ten, { resolution: 32 });
  const image = async (index: number) => ({
    data: await pixels.read(index, 1),
    height: 32,
    width: 32,
    channels: 3 as const,
  });
  for (const [crop, kernel] of [
    ['random-resized', 'cubic'],
    ['distorted', 'linear'],
  ] as const) {
    const loader = createLoader(pixels, { batchSize: 4, seed: 9, crop, workers: 1 });
    for (const step of [0, 1, 2]) {
      const { images } = await loader.batch(step);
      for (const [place, index] of loader.indices(step).entries()) {
        const box = cropBox(crop, 32, 32, 32, cropRandom(9, step, place));
        const wanted = await cropImage(await image(index), { box: () => box, kernel, resolution: 32, channels: 3 });
        t.ok(
          Buffer.from(wanted).equals(images.subarray(place * 3072, (place + 1) * 3072)),
          `${crop}, step ${step}, place ${place}`,
        );
      }
    }
    await loader.close();
  }
});

t.test('the same bytes after a restart, in any order, and with any number of threads', async (t) => {
  const encoded = await opened(t, mixed, {}, { resolution: 16 });
  for (const crop of ['random-resized', 'distorted'] as Crop[]) {
    const run = await batches(encoded, { crop, workers: 1 }, [0, 1, 2, 3, 4, 5]);
    const three = await batches(encoded, { crop, workers: 3 }, [0, 1, 2, 3, 4, 5]);
    const resumed = await batches(encoded, { crop, workers: 1 }, [4, 5, 1]);
    run.forEach((batch, step) => t.ok(batch.equals(three[step]), `${crop}: step ${step} by three threads`));
    [4, 5, 1].forEach((step, i) => t.ok(run[step].equals(resumed[i]), `${crop}: step ${step} resumed`));
    const [other] = await batches(encoded, { crop, seed: 6 }, [0]);
    t.notOk(other.equals(run[0]), `${crop}: another seed`);
  }
});

t.test('the next epoch cuts the images otherwise', async (t) => {
  const encoded = await opened(t, mixed, {}, { resolution: 16 });
  const loader = createLoader(encoded, { batchSize: 8, seed: 1, crop: 'random-resized' });
  const byImage = async (step: number) => {
    const { images } = await loader.batch(step);
    return new Map(
      [...loader.indices(step)].map((index, at) => [index, String(images.subarray(at * 768, (at + 1) * 768))]),
    );
  };
  const [first, second] = [await byImage(0), await byImage(1)];
  t.equal(first.size, 8);
  t.equal([...first].filter(([index, pixels]) => second.get(index) === pixels).length, 0);
  await loader.close();
});

t.test('encoded and stored pixels give the same crops of lossless images', async (t) => {
  const steps = [0, 1, 7];
  const all = async (dataset: Dataset, options: Partial<LoaderOptions>) =>
    Buffer.concat(await batches(dataset, options, steps));
  const pixels = await opened(t, ten, { resolution: 32 });
  await t.test('encoded', async (t) => {
    const encoded = await opened(t, ten, {}, { resolution: 24 });
    for (const crop of ['center', 'random-resized', 'distorted'] as Crop[]) {
      const wanted = await all(encoded, { crop });
      t.equal(wanted.length, 3 * 4 * 24 * 24 * 3);
      t.ok(wanted.equals(await all(pixels, { crop, resolution: 24 })), crop);
    }
    const stored = await all(pixels, {});
    t.ok((await all(encoded, { resolution: 32 })).equals(stored), 'a resolution of the loader itself');
    t.ok(stored.equals(await all(pixels, { crop: 'center', resolution: 32 })), 'nothing to do');
  });
});

t.test('labels are of the rows of the batch', async (t) => {
  const labels = [3, 0, 9, 1, 1, 8];
  const pixels = await opened(t, ten, { resolution: 32 });
  for (const crop of ['center', 'distorted'] as Crop[]) {
    const loader = createLoader(pixels, { batchSize: 4, seed: 2, crop, labels: true });
    for (const step of [0, 1, 2]) {
      t.same(
        (await loader.batch(step)).labels,
        Int32Array.from(loader.indices(step), (index) => labels[index]),
      );
    }
    await loader.close();
  }
  const silent = createLoader(pixels, { batchSize: 4, seed: 2 });
  t.notOk('labels' in (await silent.batch(0)));
  await t.test('a set without classes', async (t) => {
    const bare = await opened(t, fixture('sources/lonely-idx3-ubyte'), { resolution: 6 });
    t.notOk('labels' in (await createLoader(bare, { batchSize: 4, seed: 2, labels: true }).batch(0)));
  });
});

t.test('an image that went bad is named with the batch it belongs to, and only there', async (t) => {
  const out = join(t.testdir(), 'data');
  await prepareDataset({ sources: [mixed], out, holdoutOut: '', seed: 0, shardSize: 8, version: '0' });
  const [tar, manifest] = [join(out, 'images-00000-of-00001.tar'), join(out, 'dataset.json')];
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const bytes = await readFile(tar);
  const sound = digest(bytes);
  // Row 2 is birds/sixteen-grey.png; its bytes begin at 4608.
  bytes.fill(0, 4608, 4700);
  await writeFile(tar, bytes);
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(sound, digest(bytes)));
  const dataset = await openDataset(out, { resolution: 8 });
  const loader = createLoader(dataset, { batchSize: 2, seed: 3, crop: 'distorted', workers: 2 });
  for (let step = 0; step < 4; step++) {
    const bad = loader.indices(step).includes(2);
    const message = /an image for birds\/sixteen-grey.png, row 2 of .*images-00000-of-00001.tar, got Input buffer/;
    if (bad) await t.rejects(loader.batch(step), { name: 'UserError', message }, `step ${step}`);
    else t.equal((await loader.batch(step)).images.length, 2 * 192, `step ${step}`);
  }
  await loader.close();
  await t.rejects(loader.batch(9), /closed/);
  await dataset.close();
});

t.test('batches are made while the main thread is busy', async (t) => {
  const encoded = await opened(t, mixed, {}, { resolution: 64 });
  const loader = createLoader(encoded, { batchSize: 32, seed: 3, crop: 'random-resized' });
  await loader.batch(0);
  // Long enough for 64 small images; the two that are prefetched need no turn of this thread to be made.
  const until = performance.now() + 2000;
  while (performance.now() < until);
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  await loader.batch(1);
  clearInterval(counting);
  t.ok(turns < 20, `${turns} milliseconds of waiting`);
  await loader.close();
});

t.test('threads end with the loader, and do not keep a process that forgot it', async (t) => {
  const dir = t.testdir();
  const out = join(dir, 'data');
  await writeFile(join(dir, 'a.png'), await encodePng(new Uint8Array(192).fill(7), 8, 8, 3));
  await writeFile(join(dir, 'list.csv'), 'a.png\n');
  await prepareDataset({ sources: [join(dir, 'list.csv')], out, holdoutOut: '', seed: 0, shardSize: 8, version: '0' });
  const module = (name: string) => pathToFileURL(join(root, 'dist/src/core/data', name)).href;
  const script = (end: string) => `
    import { readFileSync, readdirSync } from 'node:fs';
    import { openDataset } from '${module('dataset/dataset.js')}';
    import { createLoader } from '${module('loading/loader.js')}';
    // libvips has threads of its own, which come and go as it likes.
    const own = (id) => {
      try {
        return !readFileSync('/proc/self/task/' + id + '/comm', 'utf8').includes('vips');
      } catch {
        return false;
      }
    };
    const threads = () => readdirSync('/proc/self/task').filter(own).length;
    const dataset = await openDataset(${JSON.stringify(out)}, { resolution: 8 });
    await dataset.read(0, 1);
    const before = threads();
    const loader = createLoader(dataset, { batchSize: 9, seed: 0, workers: 3 });
    const { images } = await loader.batch(0);
    const during = threads();
    ${end}
    console.log(JSON.stringify({ images: images.every((value) => value === 7), before, during, after: threads() }));`;
  for (const end of ['', 'await loader.close();', 'loader.batch(1).catch(() => {}); await loader.close();']) {
    const { code, stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script(end)]);
    t.same([code, stderr], [0, ''], end || 'forgotten');
    const { images, before, during, after } = JSON.parse(stdout);
    t.ok(images);
    t.ok(during >= before + 3, `${during} threads after ${before}`);
    if (end) t.ok(after <= during - 3, `${after} after close, ${during} before`);
  }
  const lonely = await openDataset(out, { resolution: 8 });
  t.same([...(await decodeAsIs(join(dir, 'a.png'))).data], [...(await lonely.read(0, 1))]);
  await lonely.close();
});
