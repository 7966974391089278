/** The images of a run. */
import type { Config } from '../config/config.js';
import { type Dataset, openDataset } from '../data/dataset/dataset.js';
import { orClose } from '../data/or-close.js';
import type { Channels } from '../data/pixels.js';
import { imageResolution } from '../model/config.js';
import { checkData } from '../run/checks.js';
import { checkSameData } from '../run/run-data.js';

/** @throws UserError when they do not fit, or are not those that `earlierRun` was begun with */
export async function openTrainingData(data: string, config: Config, earlierRun?: string): Promise<Dataset> {
  const { model } = config;
  const dataset = await openDataset(data, {
    resolution: imageResolution(model),
    channels: model.channels as Channels,
  });
  await orClose(dataset, async () => {
    checkData(dataset, config);
    if (earlierRun !== undefined) await checkSameData(earlierRun, dataset);
  });
  return dataset;
}
