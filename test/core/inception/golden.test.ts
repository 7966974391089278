/**
 * Published numbers of the real network. They need its weights, which do not come with this program:
 *
 * BIGBIGAN_INCEPTION=pt_inception-2015-12-05-6726825d.pth make test ONLY=golden
 *
 * and for the scores of CIFAR-10 its binary version too, BIGBIGAN_CIFAR10=cifar-10-batches-bin. Its 256 images take a
 * minute; BIGBIGAN_GOLDEN=5000 adds those of 5,000, and BIGBIGAN_GOLDEN=50000 (an hour on a processor) of all training
 * images.
 */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Engine, startEngine } from '../../../src/core/backend/engine.js';
import { createMachine } from '../../../src/core/backend/machine.js';
import { decodeAsIs } from '../../../src/core/data/codec.js';
import { inceptionExtractor } from '../../../src/core/evaluation/fid/extractors/inception-extractor.js';
import { measureImages } from '../../../src/core/evaluation/fid/measure.js';
import { openSource } from '../../../src/core/evaluation/fid/source.js';
import { readNpy, writeNpy } from '../../../src/core/formats/npy/npy.js';
import { inception } from '../../../src/core/inception/network.js';
import { foldBatchNorm, networkVariables, readInceptionWeights } from '../../../src/core/inception/weights.js';
import type { Extractor } from '../../../src/core/metrics/extractor.js';
import { frechetDistance } from '../../../src/core/metrics/frechet.js';
import { createInceptionScore } from '../../../src/core/metrics/inception-score.js';
import { polynomialMmd } from '../../../src/core/metrics/kid.js';
import { gather, type Rows } from '../../../src/core/metrics/rows.js';
import { statisticsFrom } from '../../../src/core/metrics/statistics.js';
import { fixture } from '../../paths.js';
import { randomState } from './random-state.js';

const { BIGBIGAN_INCEPTION: weights, BIGBIGAN_CIFAR10: cifar, BIGBIGAN_GOLDEN: most = '256' } = process.env;
const golden = (name: string) => fixture(`inception/golden/${name}`);
const without = (what: Record<string, string | undefined>) => {
  const missing = Object.keys(what).filter((name) => !what[name]);
  return missing.length > 0 && `${missing.join(' and ')} not set`;
};
t.setTimeout(6 * 3600 * 1000);

t.test(
  "a picture's activations are the published ones",
  { skip: without({ BIGBIGAN_INCEPTION: weights }) },
  async (t) => {
    const engine = await startEngine();
    const { tensors } = await readInceptionWeights(weights!);
    const { data, height, width } = await decodeAsIs(golden('elefant.jpg'));
    const machine = createMachine(engine, {
      execution: 'traced',
      precision: 'float32',
      specs: networkVariables(),
      values: foldBatchNorm(tensors),
      functions: {
        inception: {
          inputs: { images: { shape: [1, height, width, 3], dtype: 'float32' } },
          run: ({ images }, variables) => inception(variables, images),
        },
      },
    });
    const { features } = machine.call('inception', {
      images: Float32Array.from(data, (value) => (2 * value) / 255 - 1),
    });
    machine.dispose();
    const { data: wanted } = await readNpy(golden('elefant_inception_output.npy'));
    const difference =
      (features as Float32Array).reduce((sum, value, i) => sum + Math.abs(value - Number(wanted[i])), 0) / 2048;
    t.ok(difference < 1e-5, `mean difference ${difference}`);
  },
);

interface Published {
  images: number;
  kid_subset_size?: number;
  /** By their keys in `fid --json`: the value, and how far from it we may be. */
  scores: Record<string, [number, number]>;
}

for (const published of JSON.parse(readFileSync(golden('cifar10.json'), 'utf8')) as Published[]) {
  const { images } = published;
  const skip =
    without({ BIGBIGAN_INCEPTION: weights, BIGBIGAN_CIFAR10: cifar }) ||
    (images > Number(most) && `BIGBIGAN_GOLDEN is ${most}`);
  t.test(`${images} images of CIFAR-10 have torch-fidelity's scores`, { skip, timeout: 0 }, async (t) => {
    const engine = await startEngine();
    const extractor = await inceptionExtractor(engine, { weights: weights! });
    const scores: Record<string, number> = await cifarScores(t, engine, extractor, published);
    extractor.close();
    for (const [name, [wanted, allowed]] of Object.entries(published.scores)) {
      const difference = Math.abs(scores[name] - wanted);
      t.ok(
        difference <= allowed,
        `${name}: ${scores[name]}, published ${wanted}: ${difference} apart, at most ${allowed}`,
      );
    }
  });
}

/**
 * As torch-fidelity comes to them, with its choice of images, their order and its subsets; training images are judged
 * by test images.
 */
async function cifarScores(
  t: Test,
  engine: Engine,
  extractor: Extractor,
  { images, kid_subset_size: size }: Published,
) {
  const fake = await measured(
    t,
    engine,
    extractor,
    [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    images,
  );
  const scorer = createInceptionScore(images, 10);
  scorer.add(await gather(fake.logits!, randomState(2020).permutation(images)), images);
  const { mean, std } = scorer.result();
  const score = { inception_score: mean, inception_score_std: std };
  if (size === undefined) return score;
  const real = await measured(t, engine, extractor, ['test_batch.bin'], images);
  const fid = frechetDistance(engine, statisticsFrom(real.sums), statisticsFrom(fake.sums));
  return { ...score, fid, ...(await kernelDistance(engine, fake.features!, real.features!, size)) };
}

/** `limit` images of the files, by chance, in their order. */
async function measured(t: Test, engine: Engine, extractor: Extractor, files: string[], limit: number) {
  const records = Buffer.concat(await Promise.all(files.map((file) => readFile(join(cifar!, file)))));
  const chosen = randomState(2020)
    .choice(records.length / 3073, limit)
    .sort();
  const pixels = new Uint8Array(limit * 3072);
  chosen.forEach((index, n) => {
    const planes = records.subarray(index * 3073 + 1);
    for (let i = 0; i < 3072; i++) pixels[n * 3072 + i] = planes[(i % 3) * 1024 + Math.floor(i / 3)];
  });
  const path = join(t.testdir(), `${files[0]}.npy`);
  await writeNpy(path, [limit, 32, 32, 3], pixels);
  const source = await openSource(path, { rows: true, stdin: (async function* () {})() });
  if (source.kind !== 'images') throw new Error(source.kind);
  const images = await source.images.openForNetwork(extractor.image);
  const result = await measureImages(engine, images, path, extractor, {
    features: true,
    logits: true,
    temporary: tmpdir(),
    batchSize: 64,
  });
  t.teardown(async () => {
    await result.close();
    await images.close();
  });
  return result;
}

/** KID over the subsets that torch-fidelity draws, which are not those of `fid --metrics kid`. */
async function kernelDistance(engine: Engine, a: Rows, b: Rows, size: number) {
  const random = randomState(2020);
  const values: number[] = [];
  for (let subset = 0; subset < 100; subset++) {
    const x = await gather(a, random.choice(a.rows, size));
    const y = await gather(b, random.choice(b.rows, size));
    values.push(polynomialMmd(engine, x, y, size, a.width));
  }
  const kid = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { kid, kid_std: Math.sqrt(values.reduce((sum, value) => sum + (value - kid) ** 2, 0) / values.length) };
}
