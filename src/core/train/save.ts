/** Standing statistics and checkpoints of a run in training. */
import { statisticsBatches } from '../model/standing-statistics.js';
import { pruneCheckpoints } from '../run/run-folder.js';
import { fixedBatches } from './fixed-images.js';
import { NotFinite, nonFiniteVariable } from './step/non-finite.js';
import type { Training } from './training.js';

/** Takes standing statistics for the weights as they are now, unless that has been done. */
export async function takeStatistics(training: Training): Promise<void> {
  const { config, dataset } = training.settings;
  if (training.statisticsAt === training.step) return;
  const { size, count } = statisticsBatches(config.train);
  await training.trainer.takeStatistics(() => fixedBatches(dataset, config, size, count));
  training.statisticsAt = training.step;
}

/**
 * Begins to write the checkpoint of this step, unless there is one; a thread writes while training goes on.
 * @throws NotFinite where a value is not finite: a checkpoint of broken numbers does not exist
 */
export async function saveTraining(training: Training): Promise<void> {
  const { settings, trainer, writer, monitor, retries, step } = training;
  const { config, folder, keep, on } = settings;
  const path = folder.checkpoint(step);
  if (training.checkpoint === path) return;
  await takeStatistics(training);
  const values = trainer.values();
  const broken = nonFiniteVariable(values);
  if (broken !== undefined) {
    await writer.settle();
    throw new NotFinite(step, 'no checkpoint is written', broken, training.checkpoint);
  }
  await writer.begin({ path, values, header: { step, config, monitor: monitor.state(), retries } }, async () => {
    await pruneCheckpoints(folder.path, keep);
    on({ kind: 'wrote', path });
  });
  training.checkpoint = path;
}
