/** Trains a run from where it stands to its last step. It prints nothing: what happens goes to `on`. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Engine } from '../backend/engine.js';
import type { Execution } from '../backend/machine.js';
import type { Dataset } from '../data/dataset.js';
import { createLoader } from '../data/loader.js';
import { imagesOf } from '../data/sheet.js';
import { shrink } from '../data/shrink.js';
import { UserError } from '../errors.js';
import { writeAtomic } from '../formats/atomic.js';
import { appendJsonl } from '../formats/jsonl.js';
import { hasEncoder } from '../model/config.js';
import { labelsOf, latentsOf } from '../model/latents.js';
import { readCheckpoint, saveCheckpoint } from './checkpoint.js';
import type { Config } from './config.js';
import { CALIBRATION_IMAGES, initialValues, runVariables } from './initial.js';
import { keepLogUntil } from './log.js';
import { type RunFolder, listCheckpoints } from './run-folder.js';
import { besideReconstructions, sheetPng } from './sheets.js';
import { type Trainer, createTrainer } from './trainer.js';

/** Images on a sheet, and its columns. */
const SHEET = { images: 64, columns: 8 };

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
  const { engine, config, dataset, folder, on } = settings;
  const { train } = config;
  const perStep = train.discriminatorSteps * train.batchSize;
  const loader = createLoader(dataset, { batchSize: perStep, seed: config.seed });
  const labels = config.model.classes > 1 ? await dataset.labels() : undefined;
  const resumed = await resume(settings);
  const values = resumed?.values ?? initialValues(engine, config, (await fixedBatches(dataset, config.seed, CALIBRATION_IMAGES, 1))[0]);
  const trainer = createTrainer(engine, { config, values, execution: settings.execution, sheetImages: SHEET.images });
  const sheets = await prepareSheets(settings, trainer, labels);
  await keepLogUntil(folder.log, resumed?.step ?? 0);

  let step = resumed?.step ?? 0;
  let checkpoint = resumed?.checkpoint;
  let statisticsAt: number | undefined = resumed?.step;
  const takeStatistics = async () => {
    if (statisticsAt === step) return;
    trainer.takeStatistics(await fixedBatches(dataset, config.seed, train.batchSize, train.statisticsBatches));
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
    const { images } = await loader.batch(step);
    const begun = performance.now();
    const values = trainer.step(step, images, labels && Int32Array.from(loader.indices(step), (i) => labels[i]));
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
      for (const path of await sheets(step)) on({ kind: 'wrote', path });
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

/** Images in an order of their own, the same ones at every call: for calibration, statistics and sheets. */
function fixedOrder(dataset: Dataset, seed: number, batchSize: number) {
  return createLoader(dataset, { batchSize: Math.min(batchSize, dataset.count), seed: seed + 1 });
}

async function fixedBatches(dataset: Dataset, seed: number, batchSize: number, batches: number): Promise<Uint8Array[]> {
  const { indices } = fixedOrder(dataset, seed, batchSize);
  return Promise.all(Array.from({ length: batches }, (_, i) => dataset.gather(indices(i))));
}

/** Sheets on averaged weights: samples of the latents of seeds 0, 1, … and reconstructions of fixed images. */
async function prepareSheets({ engine, config, dataset, folder }: LoopSettings, { model }: Trainer, labels: Int32Array | undefined) {
  const { model: settings } = config;
  const seeds = Array.from({ length: SHEET.images }, (_, i) => i);
  const indices = fixedOrder(dataset, config.seed, SHEET.images).indices(0);
  const [originals] = hasEncoder(settings) ? [await dataset.gather(indices)] : [];
  const own = labels && Int32Array.from(indices, (i) => labels[i]);

  const pictures = () => {
    const latents = latentsOf(engine, seeds, settings);
    const { height, width, channels } = model.output;
    const pixels = height * width * channels;
    const samples = imagesOf(model.generate(latents, seeds.length, labelsOf(seeds, settings)), pixels);
    if (!originals) return { samples };
    const { z_mean: means } = model.encode(originals, indices.length);
    const seen = shrink(originals, model.input, model.input.height / height);
    const remade = model.generate(means, indices.length, own);
    return { samples, reconstructions: besideReconstructions(seen, remade, pixels, SHEET.columns) };
  };
  return async (step: number): Promise<string[]> => {
    const { samples, reconstructions } = pictures();
    const paths: string[] = [];
    const write = async (path: string, images: Parameters<typeof sheetPng>[0]) => {
      const png = await sheetPng(images, model, SHEET.columns);
      await mkdir(dirname(path), { recursive: true });
      await writeAtomic(path, async (handle) => {
        await handle.writeFile(png);
      });
      paths.push(path);
    };
    await write(folder.samples(step, 0), samples);
    if (reconstructions) await write(folder.reconstructions(step), reconstructions);
    return paths;
  };
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
