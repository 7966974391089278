/** A process that runs our model as bench.ts asks it to. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Engine, startEngine } from '../src/core/backend/engine.js';
import { hash } from '../src/core/backend/initialise.js';
import type { Execution } from '../src/core/backend/machine.js';
import { ints, randomNormal } from '../src/core/backend/ops.js';
import type { Precision } from '../src/core/backend/precision.js';
import type { Config } from '../src/core/config/config.js';
import { integerRandom } from '../src/core/data/random.js';
import { writeNpy } from '../src/core/formats/npy/npy.js';
import { readCheckpoint, saveCheckpoint } from '../src/core/run/checkpoint.js';
import { CALIBRATION_IMAGES, initialValues, runVariables } from '../src/core/train/initial.js';
import { createTrainer, type Trainer } from '../src/core/train/trainer.js';
import { answerRequests } from './child.js';
import { measurePeak } from './peak.js';

let engine: Engine;
let config: Config;
let trainer: Trainer;
let images: Uint8Array;
let latents: Float32Array;
let stepsDone = 0;
/** Milliseconds inside TensorFlow's session since the last reading. */
let inSession = 0;

await answerRequests({
  async describe() {
    engine = await startEngine();
    return { tensorflow: engine.tensorflow, threads: availableParallelism() };
  },
  /** Writes the state before the first step, from which all systems start. */
  async initialise({ config, checkpoint }: { config: Config; checkpoint: string }) {
    engine = await startEngine();
    const values = initialValues(engine, config, randomImages(config, CALIBRATION_IMAGES));
    await saveCheckpoint(checkpoint, values, { step: 0, config });
    return {};
  },
  async start(request: { config: Config; checkpoint: string; execution: Execution; precision: Precision }) {
    config = request.config;
    config.train.precision = request.precision;
    const { batchSize, discriminatorSteps } = config.train;
    engine = withSessionTimed(await startEngine());
    const { values } = await readCheckpoint(request.checkpoint, runVariables(config));
    trainer = createTrainer(engine, { config, values, execution: request.execution, sheetImages: batchSize });
    images = randomImages(config, batchSize * discriminatorSteps);
    latents = normals(batchSize, 'latent');
    return {};
  },
  step() {
    const { ms } = timed(() => trainer.step(stepsDone++, images));
    return { ms, js_ms: ms - inSession };
  },
  generate: () => timed(() => trainer.model.generate(latents, config.train.batchSize)),
  encode: () => timed(() => trainer.model.encode(images, config.train.batchSize)),
  memory: () => ({ rss_mb: process.resourceUsage().maxRSS / 1024 }),
  async peak() {
    engine = await startEngine();
    return measurePeak(engine);
  },
  /** Runs step 0 and leaves what PyTorch needs to do the same, and what came out, in a folder. */
  async check({ folder }: { folder: string }) {
    const { batchSize } = config.train;
    const { resolution: side, channels, latent } = config.model;
    await writeNpy(join(folder, 'images.npy'), [batchSize, side, side, channels], images);
    await writeNpy(join(folder, 'latents.npy'), [batchSize, latent], latents);
    await writeNpy(join(folder, 'noise.npy'), [batchSize, latent], normals(batchSize, 'encoder noise'));
    const { loss_d, loss_eg } = trainer.step(0, images);
    await saveCheckpoint(join(folder, 'after.safetensors'), trainer.values(), { step: 1, config });
    return { loss_d, loss_eg };
  },
});

/** What the step draws for a use at step 0. */
function normals(n: number, use: string): Float32Array {
  const key = ints([hash(`${config.seed}/${use}/0`), 0]);
  return engine.scope(() => (engine.read(randomNormal([n, config.model.latent], key)) as Float32Array).slice());
}

function randomImages({ model: { resolution, channels } }: Config, n: number): Uint8Array {
  const random = integerRandom(0, n);
  return Uint8Array.from({ length: n * resolution * resolution * channels }, () => random.below(256));
}

function timed(body: () => unknown): { ms: number } {
  inSession = 0;
  const begun = performance.now();
  body();
  return { ms: performance.now() - begun };
}

/** The same engine, but that it adds up the time in `runSavedModel`. */
function withSessionTimed(engine: Engine): Engine {
  const { binding } = engine;
  const runSavedModel: typeof binding.runSavedModel = (...args) => {
    const begun = performance.now();
    try {
      return binding.runSavedModel(...args);
    } finally {
      inSession += performance.now() - begun;
    }
  };
  return { ...engine, binding: Object.create(binding, { runSavedModel: { value: runSavedModel } }) };
}
