/** The features of FID and the class scores of the Inception Score: the Inception network of 2015. */
import type { Engine } from '../../../backend/engine.js';
import type { Mode } from '../../../inception/modes.js';
import { CLASSES, inception, WIDTH } from '../../../inception/network.js';
import { SCALING } from '../../../inception/resize.js';
import { foldBatchNorm, networkVariables, readInceptionWeights } from '../../../inception/weights.js';
import type { Extractor } from '../../../metrics/extractor.js';
import { resizedBatches } from './resized-batches.js';

export interface InceptionChoice {
  /** A file of its weights, of any form that readInceptionWeights takes. */
  weights: string;
  mode?: Mode;
  /**
   * Images in a call of the network, whatever `extract` is given; larger batches are no faster, and take more memory.
   */
  batchSize?: number;
}

/** Takes any number of images of any one size, grey or RGB, at a call. */
export async function inceptionExtractor(
  engine: Engine,
  { weights: path, mode = 'tf', batchSize }: InceptionChoice,
): Promise<Extractor> {
  const { tensors, digest, file } = await readInceptionWeights(path);
  const { run, close } = resizedBatches(engine, {
    specs: networkVariables(),
    values: foldBatchNorm(tensors),
    network: inception,
    widths: { features: WIDTH, logits: CLASSES, unbiased: CLASSES },
    mode,
    scaling: SCALING[mode],
    batchSize,
  });
  return {
    name: 'inception',
    label: `inception (${mode} resize)`,
    digest,
    file,
    mode,
    width: WIDTH,
    image: {},
    extract(images, shape) {
      const { features, logits, unbiased } = run(images, shape);
      return { features, logits, unbiasedLogits: unbiased };
    },
    close,
  };
}
