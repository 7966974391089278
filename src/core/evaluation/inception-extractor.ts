/** The features of FID and the class scores of the Inception Score: the Inception network of 2015. */
import type { Engine } from '../backend/engine.js';
import type { Values } from '../backend/executor.js';
import { type GraphFunction, createMachine } from '../backend/machine.js';
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

/** Values of a prepared image. */
const SEEN = SIDE * SIDE * 3;
/** Below this part of a batch, images go through one by one: such as those of sets in which each has a size of its own. */
const WORTH_PADDING = 1 / 4;

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
    functions: { batch: ofImages(batchSize), single: ofImages(1) },
  });
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
      for (let first = 0, n; first < count; first += n) {
        const left = count - first;
        const size = left < batchSize * WORTH_PADDING ? 1 : batchSize;
        n = Math.min(size, left);
        const batch = new Float32Array(size * SEEN);
        for (let i = 0; i < n; i++) {
          const image = images.subarray((first + i) * length, (first + i + 1) * length);
          prepare(image, [height, width, channels], mode, batch.subarray(i * SEEN, (i + 1) * SEEN));
        }
        const outputs = machine.call(size === 1 ? 'single' : 'batch', { images: batch });
        const store = (target: Float32Array, values: Values, row: number) => target.set(values.subarray(0, n * row), first * row);
        store(features, outputs.features, WIDTH);
        store(logits, outputs.logits, CLASSES);
        store(unbiasedLogits, outputs.unbiased, CLASSES);
      }
      return { features, logits, unbiasedLogits };
    },
    close: () => machine.dispose(),
  };
}

function ofImages(n: number): GraphFunction {
  return {
    inputs: { images: { shape: [n, SIDE, SIDE, 3], dtype: 'float32' } },
    run: ({ images }, variables) => inception(variables, images),
  };
}
