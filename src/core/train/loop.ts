/** Trains a run from where it stands to its last step. It prints nothing: what happens goes to `on`. */
import type { Engine } from '../backend/engine.js';
import type { Execution } from '../backend/machine.js';
import type { Dataset } from '../data/dataset.js';
import { type Loader, createLoader } from '../data/loader.js';
import { UserError } from '../errors.js';
import { appendJsonl } from '../formats/jsonl.js';
import { imageResolution } from '../model/config.js';
import { readCheckpoint, saveCheckpoint } from './checkpoint.js';
import type { Config } from './config.js';
import { fixedBatch, fixedBatches } from './fixed-images.js';
import { CALIBRATION_IMAGES, initialValues, runVariables } from './initial.js';
import { keepLogUntil } from './log.js';
import { SHEET, writeSheets } from './progress-sheets.js';
import { type RunFolder, listCheckpoints } from './run-folder.js';
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
  /** Asked between steps: true saves and ends the loop. */
  stopped: () => boolean;
  on: (event: LoopEvent) => void;
}

export type LoopEvent =
  | { kind: 'resumed'; step: number; checkpoint: string }
  | { kind: 'step'; step: number; values: Record<string, number>; imagesPerSecond: number }
  | { kind: 'wrote'; path: string };

export interface LoopResult {
  /** Steps completed in all, and in this call. */
  step: number;
  stepsRun: number;
  /** Seconds a step, the median of this call. */
  secondsPerStep: number | null;
  checkpoint: string;
  finished: boolean;
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
  const resumed = await resume(settings);
  const values = resumed?.values ?? initialValues(engine, config, (await fixedBatch(dataset, config, CALIBRATION_IMAGES)).images);
  const trainer = createTrainer(engine, { config, values, execution: settings.execution, sheetImages: SHEET.images });
  const originals = await fixedBatch(dataset, config, SHEET.images);
  await keepLogUntil(folder.log, resumed?.step ?? 0);

  let step = resumed?.step ?? 0;
  let checkpoint = resumed?.checkpoint;
  let statisticsAt: number | undefined = resumed?.step;
  const takeStatistics = async () => {
    if (statisticsAt === step) return;
    await trainer.takeStatistics(() => fixedBatches(dataset, config, train.batchSize, train.statisticsBatches));
    statisticsAt = step;
  };
  const save = async () => {
    await takeStatistics();
    checkpoint = folder.checkpoint(step);
    await saveCheckpoint(checkpoint, trainer.values(), { step, config });
    on({ kind: 'wrote', path: checkpoint });
  };

  const meter = createMeter(perStep);
  const durations: number[] = [];
  while (step < train.steps && !settings.stopped()) {
    const waited = performance.now();
    const { images, labels } = await loader.batch(step);
    const begun = performance.now();
    const values = trainer.step(step, images, labels);
    const seconds = (performance.now() - begun) / 1000;
    durations.push(seconds);
    step++;
    refuseNonFinite(values, step, checkpoint);
    meter.add(values, seconds, (begun - waited) / 1000);
    if (step % settings.logEvery === 0 || step === train.steps) {
      const line = { step, epoch: (step * perStep) / dataset.count, ...meter.take() };
      await appendJsonl(folder.log, line);
    }
    on({ kind: 'step', step, values, imagesPerSecond: perStep / seconds });
    if (step % settings.sampleEvery === 0 || step === train.steps) {
      await takeStatistics();
      const paths = await writeSheets(engine, trainer.model, { config, folder, step, originals });
      for (const path of paths) on({ kind: 'wrote', path });
    }
    if (step % settings.checkpointEvery === 0 && step < train.steps) await save();
    // Lets signals and prefetched reads in: the engine's calls block the event loop.
    await new Promise((done) => setImmediate(done));
  }

  if (checkpoint !== folder.checkpoint(step)) await save();
  trainer.dispose();
  durations.sort((a, b) => a - b);
  return {
    step,
    stepsRun: durations.length,
    secondsPerStep: durations[Math.floor(durations.length / 2)] ?? null,
    checkpoint: checkpoint!,
    finished: step >= train.steps,
  };
}

async function resume({ config, folder, on }: LoopSettings) {
  const newest = (await listCheckpoints(folder.path)).at(-1);
  if (!newest) return undefined;
  const { values, step } = await readCheckpoint(newest.path, runVariables(config));
  on({ kind: 'resumed', step, checkpoint: newest.path });
  return { values, step, checkpoint: newest.path };
}

function refuseNonFinite(values: Record<string, number>, step: number, checkpoint: string | undefined): void {
  const broken = Object.entries(values).find(([, value]) => !Number.isFinite(value));
  if (!broken) return;
  throw new UserError(`step ${step}: ${broken[0]} is ${broken[1]}`, {
    hint: `the last good checkpoint is ${checkpoint ?? 'none'}; lower learning rates help`,
  });
}

/** Means over the steps since the last line of the log. */
function createMeter(imagesPerStep: number) {
  let sums: Record<string, number> = {};
  let [steps, seconds, waited] = [0, 0, 0];
  return {
    add(values: Record<string, number>, stepSeconds: number, waitSeconds: number) {
      for (const [name, value] of Object.entries(values)) sums[name] = (sums[name] ?? 0) + value;
      steps++;
      seconds += stepSeconds;
      waited += waitSeconds;
    },
    take() {
      const means = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / steps]));
      const line = {
        ...means,
        seconds_per_step: seconds / steps,
        data_wait_per_step: waited / steps,
        images_per_second: (steps * imagesPerStep) / (seconds + waited),
      };
      sums = {};
      [steps, seconds, waited] = [0, 0, 0];
      return line;
    },
  };
}
