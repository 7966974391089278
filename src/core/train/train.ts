/** Trains a run: from the beginning, from where it stands, or not at all where it is finished. */
import { startEngine } from '../backend/engine.js';
import { precisionWarning } from '../backend/precision.js';
import { checkChoice, checkWhole } from '../checks.js';
import type { Config } from '../config/config.js';
import type { Dataset } from '../data/dataset/dataset.js';
import { acquireLock } from '../run/lock.js';
import { recordData } from '../run/run-data.js';
import { beginRun, listCheckpoints, makeRunFolder, runFolder } from '../run/run-folder.js';
import type { EngineWorkOptions, WorkEvent } from '../work.js';
import { TRAIN_DEFAULTS } from './defaults.js';
import type { BestEvaluation } from './evaluation/evaluations.js';
import { type EvaluationRequest, type OpenEvaluation, openEvaluation } from './evaluation/open-evaluation.js';
import { describeFinished, finishedRun } from './finished.js';
import { trainLoop } from './loop.js';
import type { LoopEvent, LoopSettings } from './loop-settings.js';
import { ON_NAN, type OnNan } from './on-nan.js';
import { openTrainingData } from './open-training-data.js';
import { type RunSettings, resolveRun } from './resolve-run.js';
import { leavesSchedule } from './step/schedule.js';

export interface TrainSettings extends RunSettings {
  /** Dataset folder. */
  data: string;
  /** Folder of the run, which gets config, log, sheets and checkpoints. */
  run: string;
  /** Steps between lines of log.jsonl, default 50. */
  logEvery?: number;
  /** Steps between sheets of samples and reconstructions, default 500. */
  sampleEvery?: number;
  /** Steps between checkpoints, default 500; the last step has one always. */
  checkpointEvery?: number;
  /** Newest checkpoints to keep, default 3; Infinity for all. */
  keep?: number;
  /** Write events for TensorBoard, default true. */
  tensorboard?: boolean;
  /** What to do about numbers that are not finite: `stop` (default), or `rollback` to the last checkpoint. */
  onNan?: OnNan;
  /** Absent for none. */
  evaluation?: EvaluationRequest;
}

export type TrainEvent = Exclude<LoopEvent, { kind: 'warning' }> | WorkEvent;

export interface TrainResult {
  run: string;
  data: string;
  /** SHA-256 of the images and classes. */
  data_digest: string;
  preset: string;
  seed: number;
  precision: Config['train']['precision'];
  /** Steps completed in all, the total number of steps, and steps of this call. */
  step: number;
  steps: number;
  steps_run: number;
  /** Median of this call; null without a step. */
  seconds_per_step: number | null;
  finished: boolean;
  /** Finished before the last step, as evaluations did not improve. */
  stopped_early: boolean;
  best?: BestEvaluation;
  /** The newest checkpoint. */
  checkpoint: string;
  /** Version of TensorFlow. */
  tensorflow: string;
  seconds: number;
}

/** Of a run that was finished before: nothing was opened but the run. */
export type FinishedResult = Pick<
  TrainResult,
  'run' | 'step' | 'steps' | 'finished' | 'stopped_early' | 'best' | 'checkpoint'
> & {
  steps_run: 0;
};

/**
 * Trains a run to its last step. The same call continues a run from its newest sound checkpoint, to the same bytes as
 * without a break (same machine, same number of threads).
 *
 * Events: `step` for each step, `resumed`, `evaluated`, `wrote` for files, `damaged` for checkpoints that were put
 * aside, notes and warnings. `signal` saves a checkpoint after the step that is
 * running; the result then has `finished: false`.
 * @throws UserError for settings, images or a run that do not fit, and when another process trains the run
 */
export async function train(
  settings: TrainSettings,
  options: EngineWorkOptions<TrainEvent> = {},
): Promise<TrainResult | FinishedResult> {
  const { data, run, evaluation: request } = settings;
  const tell = options.on ?? (() => {});
  checkSettings(settings);
  const { config, earlier } = await resolveRun(settings);
  await using dataset = await openTrainingData(data, config, earlier && run);
  await using evaluation = request && (await openEvaluation(request, { run, config, dataset }));
  const finished = await finishedRun(run, { ...request, steps: config.train.steps, evaluated: request !== undefined });
  if (finished) {
    const { step, path, stoppedEarly, best } = finished;
    tell({ kind: 'note', message: describeFinished(run, step, config.train.steps) });
    return {
      run,
      step,
      steps: config.train.steps,
      steps_run: 0,
      finished: true,
      stopped_early: stoppedEarly,
      best,
      checkpoint: path,
    };
  }
  const done = earlier && ((await listCheckpoints(run)).at(-1)?.step ?? 0);
  if (earlier && leavesSchedule(done!, earlier.train, config.train)) {
    const [before, now] = [earlier, config].map(({ train }) => train.steps);
    const message = `learning rates fell towards step ${before} so far and fall towards ${now} from here: not what a run of ${now} steps does`;
    tell({ kind: 'warning', message });
  }
  await makeRunFolder(run);
  using _ = holdLock(run);
  if (evaluation?.leftOut) tell({ kind: 'note', message: evaluation.leftOut });
  return await trainLocked({ settings, options, config, dataset, evaluation });
}

/** What the rules of a run do not cover. @throws UserError */
function checkSettings({ logEvery, sampleEvery, checkpointEvery, keep, onNan }: TrainSettings): void {
  checkWhole('--log-every', logEvery, { least: 1 });
  checkWhole('--sample-every', sampleEvery, { least: 1 });
  checkWhole('--checkpoint-every', checkpointEvery, { least: 1 });
  if (keep !== Infinity) checkWhole('--keep', keep, { least: 1 });
  checkChoice('--on-nan', onNan, ON_NAN);
}

/** One process at a time trains a run; the lock is released when the process exits, too. */
function holdLock(run: string): Disposable {
  const { release } = acquireLock(runFolder(run).lock, `the run ${run}`);
  process.once('exit', release);
  return {
    [Symbol.dispose]() {
      process.off('exit', release);
      release();
    },
  };
}

interface LockedRun {
  settings: TrainSettings;
  options: EngineWorkOptions<TrainEvent>;
  config: Config;
  dataset: Dataset;
  evaluation?: OpenEvaluation;
}

async function trainLocked({ settings, options, config, dataset, evaluation }: LockedRun): Promise<TrainResult> {
  const { run, data, execution = 'traced' } = settings;
  const { threads, signal, on = () => {} } = options;
  const started = Date.now();
  const engine = await startEngine({ threads });
  const evaluationSettings = await evaluation?.start(engine);
  await beginRun(run, config);
  await recordData(run, dataset);
  const { precision, steps } = config.train;
  const arithmetic = execution === 'eager' ? 'float32, op by op' : precision;
  on({ kind: 'note', message: `training to step ${steps} in ${arithmetic}` });
  const slow = precisionWarning(precision);
  if (slow) on({ kind: 'warning', message: slow });
  const result = await trainLoop({
    engine,
    execution,
    config,
    dataset,
    folder: runFolder(run),
    ...loopOptions(settings),
    evaluation: evaluationSettings,
    stopped: () => signal?.aborted ?? false,
    on: (event) => on(event.kind === 'warning' ? atStep(event) : event),
  });
  return {
    run,
    data,
    data_digest: dataset.digest,
    preset: config.preset,
    seed: config.seed,
    precision,
    step: result.step,
    steps,
    steps_run: result.stepsRun,
    seconds_per_step: result.secondsPerStep,
    finished: result.finished,
    stopped_early: result.stoppedEarly,
    best: result.best,
    checkpoint: result.checkpoint,
    tensorflow: engine.tensorflow,
    seconds: (Date.now() - started) / 1000,
  };
}

const atStep = ({ step, message }: { step: number; message: string }): WorkEvent => {
  return { kind: 'warning', message: `step ${step}: ${message}` };
};

type LoopOptions = Pick<
  LoopSettings,
  'logEvery' | 'sampleEvery' | 'checkpointEvery' | 'keep' | 'tensorboard' | 'onNan'
>;

function loopOptions(settings: TrainSettings): LoopOptions {
  const {
    logEvery = TRAIN_DEFAULTS.logEvery,
    sampleEvery = TRAIN_DEFAULTS.sampleEvery,
    checkpointEvery = TRAIN_DEFAULTS.checkpointEvery,
    keep = TRAIN_DEFAULTS.keep,
    tensorboard = TRAIN_DEFAULTS.tensorboard,
    onNan = TRAIN_DEFAULTS.onNan,
  } = settings;
  return { logEvery, sampleEvery, checkpointEvery, keep, tensorboard, onNan };
}
