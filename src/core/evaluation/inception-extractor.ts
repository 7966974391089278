/** The features of FID and the class scores of the Inception Score: the Inception network of 2015. */
import type { Engine } from '../backend/engine.js';
import { createMachine } from '../backend/machine.js';
import type { Mode } from '../inception/modes.js';
import { CLASSES, SIDE, WIDTH, inception } from '../inception/network.js';
import { prepare } from '../inception/resize.js';
import { foldBatchNorm, networkVariables, readInceptionWeights } from '../inception/weights.js';
import type { Extractor } from '../metrics/extractor.js';

export interface InceptionChoice {
  /** A file of its weights, of any form that readInceptionWeights takes. */
  weights: string;
  mode?: Mode;
  /** Images in a call of the network, whatever `extract` is given; larger batches are no faster, and take more memory. */
  batchSize?: number;
}

/** Takes any number of images of any one size, grey or RGB, at a call. */
export async function inceptionExtractor(
  engine: Engine,
  { weights: path, mode = 'tf', batchSize = 16 }: InceptionChoice,
): Promise<Extractor> {
  const { tensors, digest, file } = await readInceptionWeights(path);
  const machine = createMachine(engine, {
    execution: 'traced',
    precision: 'float32',
    specs: networkVariables(),
    values: foldBatchNorm(tensors),
    functions: {
      inception: {
        inputs: { images: { shape: [batchSize, SIDE, SIDE, 3], dtype: 'float32' } },
        run: ({ images }, variables) => inception(variables, images),
      },
    },
  });
  const seen = SIDE * SIDE * 3;
  return {
    name: 'inception',
    label: `inception (${mode} resize)`,
    digest,
    file,
    mode,
    width: WIDTH,
    image: {},
    extract(images, [count, height, width, channels]) {
      const features = new Float32Array(count * WIDTH);
      const logits = new Float32Array(count * CLASSES);
      const unbiasedLogits = new Float32Array(count * CLASSES);
      const length = height * width * channels;
      const batch = new Float32Array(batchSize * seen);
      for (let first = 0; first < count; first += batchSize) {
        const n = Math.min(batchSize, count - first);
        for (let i = 0; i < n; i++) {
          const image = images.subarray((first + i) * length, (first + i + 1) * length);
          prepare(image, [height, width, channels], mode, batch.subarray(i * seen, (i + 1) * seen));
        }
        batch.fill(0, n * seen);
        const outputs = machine.call('inception', { images: batch });
        const store = (target: Float32Array, values: unknown, rowLength: number) =>
          target.set((values as Float32Array).subarray(0, n * rowLength), first * rowLength);
        store(features, outputs.features, WIDTH);
        store(logits, outputs.logits, CLASSES);
        store(unbiasedLogits, outputs.unbiased, CLASSES);
      }
      return { features, logits, unbiasedLogits };
    },
    close: () => machine.dispose(),
  };
}
