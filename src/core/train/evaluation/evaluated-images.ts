/**
 * The images that a run is evaluated on: a random sample of a dataset that is the same for all runs, whole, in a fixed
 * order.
 */
import type { Dataset } from '../../data/dataset/dataset.js';
import type { ImageSet } from '../../data/images/image-set.js';
import { createLoader } from '../../data/loading/loader.js';
import { imageResolution, type ModelConfig } from '../../model/config.js';

/** Of the sample, and of the metrics on it. */
export const EVALUATION_SEED = 0;

export type EvaluatedImages = Pick<ImageSet, 'count' | 'height' | 'width' | 'channels' | 'classes' | 'batches'>;

/**
 * At most `count` images at the resolution that E sees, with labels where there are any; a few batches are in memory at
 * a time.
 */
export function evaluatedImages(dataset: Dataset, model: ModelConfig, count: number): EvaluatedImages {
  const resolution = imageResolution(model);
  const total = Math.min(count, dataset.count);
  async function* batches(size: number) {
    const settings = {
      batchSize: size,
      seed: EVALUATION_SEED,
      crop: 'center',
      resolution,
      labels: true,
      memoryBytes: 0,
    } as const;
    const loader = createLoader(dataset, settings);
    try {
      for (let first = 0; first < total; first += size) {
        const { images, labels } = await loader.batch(first / size);
        const rows = Math.min(size, total - first);
        const data = images.subarray(0, (images.length / size) * rows);
        yield { data, count: rows, labels: labels?.subarray(0, rows), ids: [] };
      }
    } finally {
      await loader.close();
    }
  }
  return {
    count: total,
    height: resolution,
    width: resolution,
    channels: dataset.channels,
    classes: dataset.classes,
    batches,
  };
}
