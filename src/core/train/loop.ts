/** Trains a run from where it stands to its last step. It prints nothing: what happens goes to `on`. */
import { setImmediate } from 'node:timers/promises';
import { createCheckpointWriter } from '../run/checkpoint-writer.js';
import { openBatches } from './batches.js';
import type { LoopResult, LoopSettings } from './loop-settings.js';
import { drawSheets, evaluateIfDue, writeLogLine } from './record.js';
import { saveTraining } from './save.js';
import { NotFinite } from './step/non-finite.js';
import { takeStep } from './take-step.js';
import { type Attempt, beginTraining, type Training } from './training.js';

/** With `onNan: 'rollback'`, numbers that are not finite send training back to its last checkpoint. */
export async function trainLoop(settings: LoopSettings): Promise<LoopResult> {
  await using batches = openBatches(settings);
  await using writer = createCheckpointWriter();
  const attempt: Attempt = { batches, writer, durations: [] };
  for (;;) {
    using training = await beginTraining(settings, attempt);
    try {
      return await trainToEnd(training);
    } catch (error) {
      if (!(error instanceof NotFinite) || settings.onNan !== 'rollback') throw error;
      attempt.failure = { error, retries: training.retries };
    }
  }
}

async function trainToEnd(training: Training): Promise<LoopResult> {
  const { settings, evaluations, writer } = training;
  const { steps } = settings.config.train;
  const every = (interval: number) => training.step % interval === 0;
  const isLast = () => training.step === steps;

  await evaluateIfDue(training);
  while (training.step < steps && !settings.stopped() && !evaluations?.exhausted()) {
    await takeStep(training);
    if (every(settings.logEvery) || isLast()) await writeLogLine(training);
    if (every(settings.sampleEvery) || isLast()) await drawSheets(training);
    await evaluateIfDue(training);
    if (every(settings.checkpointEvery) && !isLast()) await saveTraining(training);
    // Lets signals, prefetched reads and news of the checkpoint in: the engine's calls block the event loop.
    await setImmediate();
    writer.check();
  }
  await saveTraining(training);
  await writer.settle();
  return resultOf(training);
}

async function resultOf({ settings, evaluations, step, checkpoint, durations }: Training): Promise<LoopResult> {
  const { steps } = settings.config.train;
  const stoppedEarly = step < steps && Boolean(evaluations?.exhausted());
  durations.sort((a, b) => a - b);
  return {
    step,
    stepsRun: durations.length,
    secondsPerStep: durations[Math.floor(durations.length / 2)] ?? null,
    checkpoint: checkpoint!,
    finished: step >= steps || stoppedEarly,
    stoppedEarly,
    best: await evaluations?.best(),
  };
}
