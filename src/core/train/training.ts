/** A run in training: all that moves on from step to step is one object, which the operations beside it work on. */
import type { TrainingBatch } from '../data/loading/loader.js';
import { readJsonl } from '../formats/jsonl.js';
import type { Retry } from '../run/checkpoint-header.js';
import type { CheckpointWriter } from '../run/checkpoint-writer.js';
import { checkSameRun } from '../run/checks.js';
import { keepLogUntil } from '../run/log.js';
import { readResumePoint } from '../run/resume.js';
import { createEvents, noEvents, type TensorBoardEvents } from '../run/tensorboard.js';
import type { Batches } from './batches.js';
import { type Evaluations, evaluationChange, openEvaluations } from './evaluation/evaluations.js';
import { fixedBatch } from './fixed-images.js';
import { CALIBRATION_IMAGES, initialValues, runVariables } from './initial.js';
import type { LoopSettings } from './loop-settings.js';
import { createMonitor, type Monitor } from './monitor.js';
import { SHEET } from './progress-sheets.js';
import { retriesAfter } from './retry.js';
import { logRollback } from './rollback.js';
import type { NotFinite } from './step/non-finite.js';
import { createTimer, type Timer } from './timer.js';
import { createTrainer, type Trainer } from './trainer.js';

export interface Training extends Disposable {
  readonly settings: LoopSettings;
  readonly trainer: Trainer;
  readonly batches: Batches;
  readonly writer: CheckpointWriter;
  readonly monitor: Monitor;
  readonly timer: Timer;
  readonly events: TensorBoardEvents;
  /** Absent where the run is not evaluated. */
  readonly evaluations?: Evaluations;
  /** The images of the sheets of reconstructions. */
  readonly originals: TrainingBatch;
  /** Steps that are drawn otherwise than usual. */
  readonly retries: Retry[];
  /** Seconds of each step of this process. */
  readonly durations: number[];
  readonly imagesPerStep: number;
  /** Steps completed. */
  step: number;
  /** The newest checkpoint that is written, or is being written. */
  checkpoint?: string;
  /** The step to which the standing statistics belong. */
  statisticsAt?: number;
}

/** What outlives one attempt, when training goes back to a checkpoint. */
export interface Attempt {
  batches: Batches;
  writer: CheckpointWriter;
  durations: number[];
  /** Why the attempt before this one ended, and the retries that it knew of. */
  failure?: { error: NotFinite; retries: Retry[] };
}

/** From the newest sound checkpoint, or from the beginning. @throws the failure, if it was tried often enough */
export async function beginTraining(
  settings: LoopSettings,
  { batches, writer, durations, failure }: Attempt,
): Promise<Training> {
  const { engine, config, dataset, folder, execution, on } = settings;
  const resumed = await readResumePoint(folder.path, runVariables(config));
  const from = resumed?.step ?? 0;
  const retries = failure ? retriesAfter(failure.error, failure.retries, from) : (resumed?.retries ?? []);
  for (const found of resumed?.damaged ?? []) on({ kind: 'damaged', ...found });
  // The checkpoint has a digest, and config.json has none: it may have been edited.
  if (resumed) checkSameRun(folder.path, resumed.config, config);
  if (resumed && !failure) on({ kind: 'resumed', step: resumed.step, checkpoint: resumed.checkpoint });
  const values =
    resumed?.values ?? initialValues(engine, config, (await fixedBatch(dataset, config, CALIBRATION_IMAGES)).images);
  const trainer = createTrainer(engine, { config, values, execution, sheetImages: SHEET.images });
  try {
    const originals = await fixedBatch(dataset, config, SHEET.images);
    for (const log of [folder.log, folder.metrics]) await keepLogUntil(log, from);
    if (failure) await logRollback(settings, failure.error, from, retries.at(-1)!);
    const events = settings.tensorboard ? createEvents(folder.path, from) : noEvents;
    const evaluations =
      settings.evaluation && (await openEvaluations(engine, { config, folder, settings: settings.evaluation }));
    const change = evaluations ? evaluations.change : evaluationChange(await readJsonl(folder.metrics));
    if (change !== undefined && !failure) on({ kind: 'warning', step: from, message: change });
    const imagesPerStep = config.train.discriminatorSteps * config.train.batchSize;
    return {
      settings,
      trainer,
      batches,
      writer,
      monitor: createMonitor(config, resumed?.monitor),
      timer: createTimer(imagesPerStep),
      events,
      evaluations,
      originals,
      retries,
      durations,
      imagesPerStep,
      step: from,
      checkpoint: resumed?.checkpoint,
      statisticsAt: resumed?.step,
      [Symbol.dispose]: trainer.dispose,
    };
  } catch (error) {
    trainer.dispose();
    throw error;
  }
}

/** How often all images have been seen. */
export function epochOf({ step, imagesPerStep, settings }: Training): number {
  return (step * imagesPerStep) / settings.dataset.count;
}
