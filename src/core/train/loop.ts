/** Trains a run from where it stands to its last step. It prints nothing: what happens goes to `on`. */
import type { Engine } from '../backend/engine.js';
import type { Execution } from '../backend/machine.js';
import type { Config } from '../config/config.js';
import type { Dataset } from '../data/dataset/dataset.js';
import { type Batch, createLoader } from '../data/loading/loader.js';
import { appendJsonl, readJsonl } from '../formats/jsonl.js';
import { imageResolution } from '../model/config.js';
import { statisticsBatches } from '../model/standing-statistics.js';
import type { Retry } from '../run/checkpoint-header.js';
import { type CheckpointWriter, createCheckpointWriter } from '../run/checkpoint-writer.js';
import { keepLogUntil } from '../run/log.js';
import { readResumePoint } from '../run/resume.js';
import { pruneCheckpoints, type RunFolder } from '../run/run-folder.js';
import { createEvents, noEvents } from '../run/tensorboard.js';
import type { EvaluationLine } from './evaluation/evaluate.js';
import {
  type BestEvaluation,
  type EvaluationSettings,
  evaluationChange,
  openEvaluations,
} from './evaluation/evaluations.js';
import { fixedBatch, fixedBatches } from './fixed-images.js';
import { CALIBRATION_IMAGES, initialValues, runVariables } from './initial.js';
import { createMonitor } from './monitor.js';
import type { OnNan } from './on-nan.js';
import { SHEET, writeSheets } from './progress-sheets.js';
import { dataSeed, drawOf, MOST_TRIES, noiseKey, retriesAfter } from './retry.js';
import { NotFinite, nonFiniteVariable } from './step/non-finite.js';
import { learningRates } from './step/schedule.js';
import { createTrainer } from './trainer.js';

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
  | { kind: 'damaged'; problem: string; path: string }
  | { kind: 'resumed'; step: number; checkpoint: string }
  | { kind: 'warning'; step: number; message: string }
  | { kind: 'step'; step: number; values: Record<string, number>; imagesPerSecond: number }
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

export async function trainLoop(settings: LoopSettings): Promise<LoopResult> {
  const batches = openBatches(settings);
  const writer = createCheckpointWriter();
  const history: History = { retries: [], durations: [] };
  try {
    for (;;) {
      try {
        return await trainOn(settings, { batches, writer, history });
      } catch (error) {
        if (!(error instanceof NotFinite) || settings.onNan !== 'rollback') throw error;
        history.failure = error;
        history.dispose?.();
      }
    }
  } finally {
    await writer.close();
    await batches.close();
  }
}

/** What one attempt leaves for the next, when training goes back. */
interface History {
  failure?: NotFinite;
  retries: Retry[];
  /** Of this process's steps, in seconds. */
  durations: number[];
  dispose?: () => void;
}

interface Surroundings {
  batches: Batches;
  writer: CheckpointWriter;
  history: History;
}

async function trainOn(settings: LoopSettings, { batches, writer, history }: Surroundings): Promise<LoopResult> {
  const { engine, config, dataset, folder, on } = settings;
  const { train } = config;
  const { failure, durations } = history;
  const perStep = train.discriminatorSteps * train.batchSize;
  const resumed = await readResumePoint(folder.path, runVariables(config));
  const from = resumed?.step ?? 0;
  const retries = failure ? retriesAfter(failure, history.retries, from) : (resumed?.retries ?? []);
  history.retries = retries;
  for (const found of resumed?.damaged ?? []) on({ kind: 'damaged', ...found });
  if (resumed && !failure) on({ kind: 'resumed', step: resumed.step, checkpoint: resumed.checkpoint });
  const values =
    resumed?.values ?? initialValues(engine, config, (await fixedBatch(dataset, config, CALIBRATION_IMAGES)).images);
  const trainer = createTrainer(engine, { config, values, execution: settings.execution, sheetImages: SHEET.images });
  history.dispose = trainer.dispose;
  const originals = await fixedBatch(dataset, config, SHEET.images);
  for (const log of [folder.log, folder.metrics]) await keepLogUntil(log, from);
  if (failure) {
    const { tries } = retries.at(-1)!;
    const message = `${failure.term}; training goes back to step ${from} and on with other random numbers, try ${tries} of ${MOST_TRIES}`;
    on({ kind: 'warning', step: failure.step, message });
    // By its step the line belongs to what comes after the checkpoint: a process that goes on from there writes it
    // anew.
    await appendJsonl(folder.log, {
      step: from + 1,
      rollback: { failed: failure.step, term: failure.term, to: from, try: tries },
    });
  }

  const events = settings.tensorboard ? createEvents(folder.path, from) : noEvents;

  let step = from;
  let checkpoint = resumed?.checkpoint;
  let statisticsAt: number | undefined = resumed?.step;
  const takeStatistics = async () => {
    if (statisticsAt === step) return;
    const { size, count } = statisticsBatches(train);
    await trainer.takeStatistics(() => fixedBatches(dataset, config, size, count));
    statisticsAt = step;
  };
  const monitor = createMonitor(config, resumed?.monitor);
  const save = async () => {
    await takeStatistics();
    const state = trainer.values();
    const broken = nonFiniteVariable(state);
    if (broken !== undefined) {
      await writer.settle();
      throw new NotFinite(step, 'no checkpoint is written', broken, checkpoint);
    }
    const path = folder.checkpoint(step);
    await writer.begin(
      { path, values: state, header: { step, config, monitor: monitor.state(), retries } },
      async () => {
        await pruneCheckpoints(folder.path, settings.keep);
        on({ kind: 'wrote', path });
      },
    );
    checkpoint = path;
  };

  const evaluations =
    settings.evaluation && (await openEvaluations(engine, { config, folder, settings: settings.evaluation }));
  const change = evaluations ? evaluations.change : evaluationChange(await readJsonl(folder.metrics));
  if (change !== undefined && !failure) on({ kind: 'warning', step, message: change });
  const evaluate = async () => {
    if (!evaluations || !(await evaluations.due(step))) return;
    await takeStatistics();
    // An evaluation that is broken off is made when the run goes on; that of the last step would never be.
    const stopped = () => step < train.steps && settings.stopped();
    const done = await evaluations.evaluate({ step, epoch: (step * perStep) / dataset.count }, trainer.model, stopped);
    if (!done) return;
    const { line, best } = done;
    on({ kind: 'evaluated', line, best });
    const { protocol: _, ...numbers } = line;
    await events.numbers(step, 'evaluation', numbers);
    if (!best) return;
    if (checkpoint !== folder.checkpoint(step)) await save();
    await writer.settle();
    await evaluations.markBest(step);
  };
  await evaluate();

  const timer = createTimer(perStep);
  while (step < train.steps && !settings.stopped() && !evaluations?.exhausted()) {
    const waited = performance.now();
    const draw = drawOf(retries, step);
    const { images, labels } = await batches.batch(step, draw);
    const begun = performance.now();
    const values = trainer.step(step, images, labels, noiseKey(step, draw));
    const seconds = (performance.now() - begun) / 1000;
    durations.push(seconds);
    step++;
    const broken = Object.entries(values).find(([, value]) => !Number.isFinite(value));
    if (broken) {
      // The checkpoint that the error names is there.
      await writer.settle();
      throw new NotFinite(step, `${broken[0]} is ${broken[1]}`, nonFiniteVariable(trainer.values()), checkpoint);
    }
    for (const message of monitor.add(values)) on({ kind: 'warning', step, message });
    timer.add(seconds, (begun - waited) / 1000);
    on({ kind: 'step', step, values, imagesPerSecond: perStep / seconds });
    if (step % settings.logEvery === 0 || step === train.steps) {
      const line = {
        step,
        epoch: (step * perStep) / dataset.count,
        ...monitor.take(),
        ...learningRates(step - 1, config),
        ...timer.take(),
      };
      await appendJsonl(folder.log, line);
      await events.numbers(step, 'train', line);
    }
    if (step % settings.sampleEvery === 0 || step === train.steps) {
      await takeStatistics();
      const sheets = await writeSheets(engine, trainer.model, { config, folder, step, originals });
      for (const { name, path, png } of sheets) {
        on({ kind: 'wrote', path });
        await events.picture(step, name, png);
      }
    }
    await evaluate();
    if (step % settings.checkpointEvery === 0 && step < train.steps && checkpoint !== folder.checkpoint(step))
      await save();
    // Lets signals, prefetched reads and news of the checkpoint in: the engine's calls block the event loop.
    await new Promise((done) => setImmediate(done));
    writer.check();
  }

  if (checkpoint !== folder.checkpoint(step)) await save();
  await writer.settle();
  trainer.dispose();
  const stoppedEarly = step < train.steps && Boolean(evaluations?.exhausted());
  durations.sort((a, b) => a - b);
  return {
    step,
    stepsRun: durations.length,
    secondsPerStep: durations[Math.floor(durations.length / 2)] ?? null,
    checkpoint: checkpoint!,
    finished: step >= train.steps || stoppedEarly,
    stoppedEarly,
    best: await evaluations?.best(),
  };
}

interface Batches {
  /** Of a step, by one of the draws of the run. */
  batch(step: number, draw: number): Promise<Batch>;
  close(): Promise<void>;
}

function openBatches({ config, dataset }: LoopSettings): Batches {
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
    close: () => current.loader.close(),
  };
}

/** Speed over the steps of this process since the last line of the log. */
function createTimer(imagesPerStep: number) {
  let [steps, seconds, waited] = [0, 0, 0];
  return {
    add(stepSeconds: number, waitSeconds: number) {
      steps++;
      seconds += stepSeconds;
      waited += waitSeconds;
    },
    take() {
      const speed = {
        seconds_per_step: seconds / steps,
        data_wait_per_step: waited / steps,
        images_per_second: (steps * imagesPerStep) / (seconds + waited),
      };
      [steps, seconds, waited] = [0, 0, 0];
      return speed;
    },
  };
}
