/** What the training loop is given, what it reports, and what it gives back. Types only. */
import type { Engine } from '../backend/engine.js';
import type { Execution } from '../backend/machine.js';
import type { Config } from '../config/config.js';
import type { Dataset } from '../data/dataset/dataset.js';
import type { RunFolder } from '../run/run-folder.js';
import type { EvaluationLine } from './evaluation/evaluation-line.js';
import type { BestEvaluation, EvaluationSettings } from './evaluation/evaluations.js';
import type { OnNan } from './on-nan.js';

export interface LoopSettings {
  engine: Engine;
  execution: Execution;
  config: Config;
  dataset: Dataset;
  folder: RunFolder;
  /** Steps between lines of the log, between sheets, and between checkpoints. */
  logEvery: number;
  sampleEvery: number;
  checkpointEvery: number;
  /** Newest checkpoints that are kept when another one has been written; Infinity for all. */
  keep: number;
  /**
   * What to do about numbers that are not finite: end with an error (default), or try again from the last checkpoint.
   */
  onNan?: OnNan;
  /** Whether to write events for TensorBoard. */
  tensorboard: boolean;
  /** Absent for none. */
  evaluation?: EvaluationSettings;
  /** Asked between steps: true saves and ends the loop. */
  stopped: () => boolean;
  on: (event: LoopEvent) => void;
}

export type LoopEvent =
  /** A checkpoint does not fit its digest; it has been renamed to `path`, and the one before it is taken. */
  | { kind: 'damaged'; problem: string; path: string }
  | { kind: 'resumed'; step: number; checkpoint: string }
  | { kind: 'warning'; step: number; message: string }
  /** A step of `steps` is done: what it reports, such as losses and mean scores. */
  | { kind: 'step'; step: number; steps: number; values: Record<string, number>; imagesPerSecond: number }
  | { kind: 'evaluated'; line: EvaluationLine; best: boolean }
  | { kind: 'wrote'; path: string };

export interface LoopResult {
  /** Steps completed in all, and in this call. */
  step: number;
  stepsRun: number;
  /** Seconds a step, the median of this call. */
  secondsPerStep: number | null;
  checkpoint: string;
  finished: boolean;
  /** Finished before the last step, as evaluations did not improve. */
  stoppedEarly: boolean;
  best?: BestEvaluation;
}
