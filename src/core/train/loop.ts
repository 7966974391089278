/** Trains a run from where it stands to its last step. It prints nothing: what happens goes to `on`. */
import type { Engine } from '../backend/engine.js';
import type { Execution } from '../backend/machine.js';
import type { Dataset } from '../data/dataset.js';
import { type Loader, createLoader } from '../data/loader.js';
import { appendJsonl } from '../formats/jsonl.js';
import { imageResolution } from '../model/config.js';
import { saveCheckpoint } from './checkpoint.js';
import type { Config } from './config.js';
import type { EvaluationLine } from './evaluate.js';
import { type BestEvaluation, type EvaluationSettings, openEvaluations } from './evaluations.js';
import { createEvents, noEvents } from './events.js';
import { fixedBatch, fixedBatches } from './fixed-images.js';
import { CALIBRATION_IMAGES, initialValues, runVariables } from './initial.js';
import { keepLogUntil } from './log.js';
import { createMonitor } from './monitor.js';
import { nonFiniteVariable, notFinite } from './non-finite.js';
import { SHEET, writeSheets } from './progress-sheets.js';
import { readResumePoint } from './resume.js';
import { type RunFolder, pruneCheckpoints } from './run-folder.js';
import { learningRates } from './schedule.js';
import { statisticsBatches } from './statistics.js';
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
  const { config, dataset } = settings;
  const { train, model, seed } = config;
  const loader = createLoader(dataset, {
    batchSize: train.discriminatorSteps * train.batchSize,
    seed,
    crop: train.crop,
    resolution: imageResolution(model),
    labels: model.classes > 1,
  });
  try {
    return await trainOn(loader, settings);
  } finally {
    await loader.close();
  }
}

async function trainOn(loader: Loader, settings: LoopSettings): Promise<LoopResult> {
  const { engine, config, dataset, folder, on } = settings;
  const { train } = config;
  const perStep = train.discriminatorSteps * train.batchSize;
  const resumed = await readResumePoint(folder.path, runVariables(config));
  for (const found of resumed?.damaged ?? []) on({ kind: 'damaged', ...found });
  if (resumed) on({ kind: 'resumed', step: resumed.step, checkpoint: resumed.checkpoint });
  const values = resumed?.values ?? initialValues(engine, config, (await fixedBatch(dataset, config, CALIBRATION_IMAGES)).images);
  const trainer = createTrainer(engine, { config, values, execution: settings.execution, sheetImages: SHEET.images });
  const originals = await fixedBatch(dataset, config, SHEET.images);
  for (const log of [folder.log, folder.metrics]) await keepLogUntil(log, resumed?.step ?? 0);

  const events = settings.tensorboard ? createEvents(folder.path, resumed?.step ?? 0) : noEvents;

  let step = resumed?.step ?? 0;
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
    if (broken !== undefined) throw notFinite(step, 'no checkpoint is written', broken, checkpoint);
    await saveCheckpoint(folder.checkpoint(step), state, { step, config, monitor: monitor.state() });
    checkpoint = folder.checkpoint(step);
    await pruneCheckpoints(folder.path, settings.keep);
    on({ kind: 'wrote', path: checkpoint });
  };

  const evaluations = settings.evaluation && (await openEvaluations(engine, { config, folder, settings: settings.evaluation }));
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
    await evaluations.markBest(step);
  };
  await evaluate();

  const timer = createTimer(perStep);
  const durations: number[] = [];
  while (step < train.steps && !settings.stopped() && !evaluations?.exhausted()) {
    const waited = performance.now();
    const { images, labels } = await loader.batch(step);
    const begun = performance.now();
    const values = trainer.step(step, images, labels);
    const seconds = (performance.now() - begun) / 1000;
    durations.push(seconds);
    step++;
    const broken = Object.entries(values).find(([, value]) => !Number.isFinite(value));
    if (broken) throw notFinite(step, `${broken[0]} is ${broken[1]}`, nonFiniteVariable(trainer.values()), checkpoint);
    for (const message of monitor.add(values)) on({ kind: 'warning', step, message });
    timer.add(seconds, (begun - waited) / 1000);
    on({ kind: 'step', step, values, imagesPerSecond: perStep / seconds });
    if (step % settings.logEvery === 0 || step === train.steps) {
      const line = { step, epoch: (step * perStep) / dataset.count, ...monitor.take(), ...learningRates(step - 1, config), ...timer.take() };
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
    if (step % settings.checkpointEvery === 0 && step < train.steps && checkpoint !== folder.checkpoint(step)) await save();
    // Lets signals and prefetched reads in: the engine's calls block the event loop.
    await new Promise((done) => setImmediate(done));
  }

  if (checkpoint !== folder.checkpoint(step)) await save();
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
