/**
 * Published numbers of the real network. They need its weights, which do not come with this program:
 * BIGBIGAN_INCEPTION=pt_inception-2015-12-05-6726825d.pth make test ONLY=golden
 * and for the distance between images of CIFAR-10 its binary version: BIGBIGAN_CIFAR10=cifar-10-batches-bin
 */
import t from 'tap';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEngine } from '../../../src/core/backend/engine.js';
import { createMachine } from '../../../src/core/backend/machine.js';
import { decodeAsIs } from '../../../src/core/data/codec.js';
import { inceptionExtractor } from '../../../src/core/evaluation/inception-extractor.js';
import { readNpy } from '../../../src/core/formats/npy.js';
import { inception } from '../../../src/core/inception/network.js';
import { foldBatchNorm, networkVariables, readInceptionWeights } from '../../../src/core/inception/weights.js';
import { frechetDistance } from '../../../src/core/metrics/frechet.js';
import { createMoments } from '../../../src/core/metrics/statistics.js';
import { fixture } from '../../paths.js';

const weights = process.env.BIGBIGAN_INCEPTION;
const cifar = process.env.BIGBIGAN_CIFAR10;
const golden = (name: string) => fixture(`inception/golden/${name}`);

t.test("a picture's activations are the published ones", { skip: !weights && 'BIGBIGAN_INCEPTION names no weights' }, async (t) => {
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
  const { features } = machine.call('inception', { images: Float32Array.from(data, (value) => (2 * value) / 255 - 1) });
  machine.dispose();
  const { data: wanted } = await readNpy(golden('elefant_inception_output.npy'));
  const difference = (features as Float32Array).reduce((sum, value, i) => sum + Math.abs(value - Number(wanted[i])), 0) / 2048;
  t.ok(difference < 1e-5, `mean difference ${difference}`);
});

t.test("FID between 256 and 256 images of CIFAR-10 is torch-fidelity's", { skip: !(weights && cifar) && 'BIGBIGAN_INCEPTION or BIGBIGAN_CIFAR10 is not set' }, async (t) => {
  const { train, test, frechet_distance } = JSON.parse(readFileSync(golden('cifar10.json'), 'utf8')) as {
    train: number[];
    test: number[];
    frechet_distance: number;
  };
  const engine = await startEngine();
  const extractor = await inceptionExtractor(engine, { weights: weights! });
  const statistics = async (files: string[], chosen: readonly number[]) => {
    const records = Buffer.concat(await Promise.all(files.map((file) => readFile(join(cifar!, file)))));
    const moments = createMoments(engine, extractor.width);
    const images = Buffer.concat(chosen.map((index) => interleaved(records.subarray(index * 3073 + 1, (index + 1) * 3073))));
    moments.add(extractor.extract(new Uint8Array(images), [chosen.length, 32, 32, 3]).features, chosen.length);
    return moments.result();
  };
  const batches = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
  const distance = frechetDistance(engine, await statistics(batches, train), await statistics(['test_batch.bin'], test));
  extractor.close();
  t.ok(Math.abs(distance - frechet_distance) < 1e-2, `${distance}`);
});

/** Planes of 1,024 values to pixels. */
function interleaved(planes: Uint8Array): Uint8Array {
  return Uint8Array.from(planes, (_, i) => planes[(i % 3) * 1024 + Math.floor(i / 3)]);
}
