/** A process that measures one thing of training runs, as train.ts asks it to. */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEngine } from '../src/core/backend/engine.js';
import { createMachine } from '../src/core/backend/machine.js';
import type { Config } from '../src/core/config/config.js';
import { openDataset } from '../src/core/data/dataset/dataset.js';
import { prepareDataset } from '../src/core/data/dataset/prepare.js';
import { integerRandom } from '../src/core/data/random.js';
import { imageResolution } from '../src/core/model/config.js';
import { statisticsBatches } from '../src/core/model/standing-statistics.js';
import { saveCheckpoint } from '../src/core/run/checkpoint.js';
import { createCheckpointWriter } from '../src/core/run/checkpoint-writer.js';
import { beginRun, runFolder } from '../src/core/run/run-folder.js';
import { CALIBRATION_IMAGES, initialValues, runVariables } from '../src/core/train/initial.js';
import { trainLoop } from '../src/core/train/loop.js';
import { nonFiniteVariable, withGradientCheck } from '../src/core/train/step/non-finite.js';
import { stepFunction, updates } from '../src/core/train/step/step.js';
import { createTrainer } from '../src/core/train/trainer.js';
import { answerRequests } from './child.js';
import { median } from './statistics.js';

const IMAGES = 512;
const SHEET_IMAGES = 4;

await answerRequests({
  /** Megabytes of the process after each of the steps `at` of a run with its sheets and checkpoints, and at most. */
  async memory({ config, folder, at }: { config: Config; folder: string; at: number[] }) {
    const engine = await startEngine();
    const data = join(folder, 'data');
    await makeDataset(data, imageResolution(config.model));
    const dataset = await openDataset(data);
    const path = join(folder, 'run');
    await beginRun(path, config);
    const resident: Record<number, number> = {};
    await trainLoop({
      engine,
      execution: 'traced',
      config,
      dataset,
      folder: runFolder(path),
      logEvery: 50,
      sampleEvery: 250,
      checkpointEvery: 250,
      keep: 3,
      tensorboard: true,
      stopped: () => false,
      on: (event) => {
        if (event.kind === 'step' && at.includes(event.step)) resident[event.step] = process.memoryUsage.rss() / 1e6;
      },
    });
    await dataset.close();
    return { resident_mb: resident, peak_mb: peakMegabytes() };
  },
  /** Seconds of what makes up a checkpoint, medians. */
  async checkpoint({ config, folder, rounds }: { config: Config; folder: string; rounds: number }) {
    const engine = await startEngine();
    const trainer = createTrainer(engine, { config, values: start(), execution: 'traced', sheetImages: SHEET_IMAGES });
    function start() {
      return initialValues(engine, config, randomImages(config, CALIBRATION_IMAGES / 8));
    }
    trainer.step(0, randomImages(config, config.train.batchSize * config.train.discriminatorSteps));
    const { size, count } = statisticsBatches(config.train);
    const images = randomImages(config, size);
    const writer = createCheckpointWriter();
    const header = { step: 1, config };
    const path = join(folder, 'checkpoint.safetensors');
    const seconds: Record<string, number[]> = {};
    const time = async <T>(name: string, body: () => T | Promise<T>): Promise<T> => {
      const begun = performance.now();
      const result = await body();
      (seconds[name] ??= []).push((performance.now() - begun) / 1000);
      return result;
    };
    // The first round pays for what is made once.
    for (let round = 0; round <= rounds; round++) {
      if (round === 1) for (const name of Object.keys(seconds)) delete seconds[name];
      await time('statistics', () => trainer.takeStatistics(() => Array.from({ length: count }, () => ({ images }))));
      const values = await time('values', () => trainer.values());
      await time('memory_copy', () => [...values.values()].map(({ data }) => data.slice()).length);
      await time('finite_check', () => nonFiniteVariable(values));
      await time('write_here', () => saveCheckpoint(path, values, header));
      await time('hand_over', () => writer.begin({ path, values, header }, async () => {}));
      await time('write_beside', writer.settle);
    }
    await writer[Symbol.asyncDispose]();
    const { size: bytes } = await stat(path);
    await rm(path);
    trainer.dispose();
    return {
      megabytes: bytes / 1e6,
      ...Object.fromEntries(Object.entries(seconds).map(([name, all]) => [name, median(all)])),
    };
  },
  /** Milliseconds of a step with and without its check of the gradients, in turn. */
  async check({ config, rounds }: { config: Config; rounds: number }) {
    const engine = await startEngine();
    const plain = stepFunction(config);
    const machine = createMachine(engine, {
      execution: 'traced',
      precision: config.train.precision,
      specs: runVariables(config),
      values: initialValues(engine, config, randomImages(config, CALIBRATION_IMAGES / 8)),
      functions: { plain, checked: withGradientCheck(plain) },
    });
    const scalars = updates(config).flatMap(({ name }) => [
      `${name}_rate`,
      `${name}_beta1_power`,
      `${name}_beta2_power`,
    ]);
    const inputs = {
      images: randomImages(config, config.train.batchSize * config.train.discriminatorSteps),
      step: Int32Array.of(0),
      ...Object.fromEntries([...scalars, 'average_remainder'].map((name) => [name, Float32Array.of(1e-4)])),
    };
    const milliseconds = (name: 'plain' | 'checked') => {
      const begun = performance.now();
      machine.call(name, inputs);
      return performance.now() - begun;
    };
    for (const name of ['plain', 'checked'] as const) milliseconds(name);
    const pairs = Array.from({ length: rounds }, (_, i) => {
      // Which one goes first changes, as the first may have the colder caches.
      const order = i % 2 ? (['plain', 'checked'] as const) : (['checked', 'plain'] as const);
      return Object.fromEntries(order.map((name) => [name, milliseconds(name)])) as Record<'plain' | 'checked', number>;
    });
    machine.dispose();
    return {
      plain_ms: median(pairs.map(({ plain }) => plain)),
      checked_ms: median(pairs.map(({ checked }) => checked)),
      ratio: median(pairs.map(({ plain, checked }) => checked / plain)),
    };
  },
});

/** The most that the process held, from the kernel. */
function peakMegabytes(): number {
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}

function randomImages({ model }: Config, n: number): Uint8Array {
  const random = integerRandom(0, n);
  return Uint8Array.from({ length: n * imageResolution(model) ** 2 * model.channels }, () => random.below(256));
}

async function makeDataset(out: string, side: number): Promise<void> {
  const source = `${out}-source`;
  await mkdir(source);
  const header = Buffer.alloc(16);
  [0x803, IMAGES, side, side].forEach((value, i) => header.writeUInt32BE(value, 4 * i));
  const random = integerRandom(0, 0);
  const pixels = Uint8Array.from({ length: IMAGES * side * side }, () => random.below(256));
  const file = join(source, 'noise-images-idx3-ubyte');
  await writeFile(file, Buffer.concat([header, pixels]));
  await prepareDataset({
    sources: [file],
    out,
    holdoutOut: '',
    resolution: side,
    seed: 0,
    shardSize: IMAGES,
    version: 'bench',
  });
}
