/** What a run would be and take, without training it. */
import type { Config } from '../config/config.js';
import { type Estimate, estimateRun } from './estimate.js';
import { openTrainingData } from './open-training-data.js';
import { type RunSettings, resolveRun } from './resolve-run.js';

export interface DescribeTrainingSettings extends RunSettings {
  /** Dataset whose images must fit. */
  data?: string;
}

/** The resolved config, and what a step takes. */
export type TrainingDescription = Config & Estimate;

/**
 * Resolves the settings as `train` would, and estimates parameters, bytes and floating-point operations of a step from
 * shapes alone; the engine is not needed.
 * @throws UserError for whatever `train` would refuse of the settings, the run and the images
 */
export async function describeTraining({ data, ...settings }: DescribeTrainingSettings): Promise<TrainingDescription> {
  const { config, earlier } = await resolveRun(settings);
  if (data !== undefined) {
    await using _ = await openTrainingData(data, config, earlier && settings.run);
  }
  return { ...config, ...estimateRun(config) };
}
