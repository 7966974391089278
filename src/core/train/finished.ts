/** Whether there is anything left to do for a run. */
import { DamagedFile } from '../errors.js';
import { verifyCheckpoint } from '../run/checkpoint.js';
import { listCheckpoints, runFolder } from '../run/run-folder.js';
import type { BestEvaluation } from './evaluation/evaluations.js';
import { evaluationsUntil } from './evaluation/evaluations.js';
import type { Selection } from './evaluation/selection.js';

export interface Finished {
  step: number;
  /** The newest checkpoint. */
  path: string;
  /** Before the last step, as evaluations did not improve. */
  stoppedEarly: boolean;
  best?: BestEvaluation;
}

export interface FinishSettings {
  /** Total number of steps. */
  steps: number;
  /** Whether the last step is to be evaluated. */
  evaluated: boolean;
  select?: Selection;
  patience?: number;
}

/**
 * The newest checkpoint, if it is sound, and of the last step, of a later one, or of one where evaluations had not
 * improved for long enough. Undefined where something is left to do, be it the evaluation of the last step.
 */
export async function finishedRun(run: string, settings: FinishSettings): Promise<Finished | undefined> {
  const newest = (await listCheckpoints(run)).at(-1);
  if (!newest) return undefined;
  const { evaluated, exhausted, best } = await evaluationsUntil(runFolder(run), newest.step, settings);
  const stoppedEarly = newest.step < settings.steps;
  if (stoppedEarly && !exhausted) return undefined;
  if (newest.step === settings.steps && settings.evaluated && !evaluated) return undefined;
  try {
    await verifyCheckpoint(newest.path);
    return { ...newest, stoppedEarly, best };
  } catch (error) {
    // Training finds out which checkpoint is sound.
    if (error instanceof DamagedFile) return undefined;
    throw error;
  }
}

export function describeFinished(run: string, step: number, steps: number): string {
  if (step < steps) return `${run} has stopped at step ${step} as --patience says; without --patience it trains on`;
  if (step > steps)
    return `${run} has been trained for ${step} steps, more than the ${steps} asked for: nothing is done`;
  return `${run} has finished its ${steps} steps; --steps N trains on`;
}
