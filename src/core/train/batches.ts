/** The batches of a run, by step and by draw: after a failure, steps are done again with other images. */
import { createLoader, type TrainingBatch } from '../data/loading/loader.js';
import { imageResolution } from '../model/config.js';
import type { LoopSettings } from './loop-settings.js';
import { dataSeed } from './retry.js';

export interface Batches extends AsyncDisposable {
  /** Of a step, by one of the draws of the run. */
  batch(step: number, draw: number): Promise<TrainingBatch>;
}

export function openBatches({ config, dataset }: Pick<LoopSettings, 'config' | 'dataset'>): Batches {
  const { train, model, seed } = config;
  const open = (draw: number) => ({
    draw,
    loader: createLoader(dataset, {
      batchSize: train.discriminatorSteps * train.batchSize,
      seed: dataSeed(seed, draw),
      crop: train.crop,
      resolution: imageResolution(model),
      labels: model.classes > 1,
    }),
  });
  let current = open(0);
  return {
    async batch(step, draw) {
      if (draw !== current.draw) {
        await current.loader.close();
        current = open(draw);
      }
      return current.loader.batch(step);
    },
    [Symbol.asyncDispose]: () => current.loader.close(),
  };
}
