/**
 * Images for looking at a run and for taking statistics: the same ones at every call, whole, in an order of their own.
 */

import type { Config } from '../config/config.js';
import type { Dataset } from '../data/dataset/dataset.js';
import { createLoader, type TrainingBatch } from '../data/loading/loader.js';
import { imageResolution } from '../model/config.js';

/** Batches 0, 1, ... one after another, at most as large as the dataset; only a few are in memory at a time. */
export async function* fixedBatches(
  dataset: Dataset,
  { seed, model }: Config,
  batchSize: number,
  batches: number,
): AsyncGenerator<TrainingBatch> {
  const loader = createLoader(dataset, {
    batchSize: Math.min(batchSize, dataset.count),
    seed: seed + 1,
    crop: 'center',
    resolution: imageResolution(model),
    labels: model.classes > 1,
  });
  try {
    for (let i = 0; i < batches; i++) yield await loader.batch(i);
  } finally {
    await loader.close();
  }
}

/** The first of these batches. */
export async function fixedBatch(dataset: Dataset, config: Config, batchSize: number): Promise<TrainingBatch> {
  for await (const batch of fixedBatches(dataset, config, batchSize, 1)) return batch;
  throw new Error('there is a first batch');
}
