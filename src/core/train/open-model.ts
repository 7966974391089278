/** A trained model for use: from the newest checkpoint of a run, or from a checkpoint file. */
import type { Engine } from '../backend/engine.js';
import { type Execution, createMachine } from '../backend/machine.js';
import type { Precision } from '../backend/precision.js';
import { sha256File } from '../formats/digest.js';
import type { Pass } from '../layers/scope.js';
import { modelVariables } from '../model/bigbigan.js';
import { encodeFunction, generateFunction } from '../model/functions.js';
import { type InferenceModel, inferenceModel } from '../model/inference.js';
import { readCheckpoint, readCheckpointHeader } from './checkpoint.js';
import type { Config } from './config.js';
import { findCheckpoint } from './run-folder.js';
import { statisticsFunctions, takeStatistics } from './statistics.js';

export interface ModelSource {
  run?: string;
  checkpoint?: string;
}

export interface OpenModel extends InferenceModel {
  run: Config;
  step: number;
  checkpoint: string;
  /** SHA-256 of the checkpoint file. */
  digest: string;
  weights: Pass['weights'];
  precision: Precision;
  /** Takes G's standing statistics anew, on batches of latents float32 [train.batchSize · latent]. */
  takeGeneratorStatistics(latents: Float32Array[]): void;
  dispose(): void;
}

export interface OpenSettings {
  /** Of the calls of `encode` and `generate`. */
  batchSize: number;
  weights?: Pass['weights'];
  execution?: Execution;
  precision?: Precision;
}

/** What a checkpoint says of itself, without the engine. */
export async function describeModel(source: ModelSource): Promise<{ checkpoint: string; step: number; config: Config }> {
  const checkpoint = await findCheckpoint(source);
  return { checkpoint, ...(await readCheckpointHeader(checkpoint)) };
}

export async function openModel(
  engine: Engine,
  source: ModelSource,
  { batchSize, weights = 'average', execution = 'traced', precision = 'float32' }: OpenSettings,
): Promise<OpenModel> {
  const { checkpoint, config } = await describeModel(source);
  const { model, train } = config;
  const specs = modelVariables(model).filter(({ name }) => !name.startsWith('discriminator/'));
  const { values, step } = await readCheckpoint(checkpoint, specs);
  const machine = createMachine(engine, {
    execution,
    precision,
    specs,
    values,
    functions: {
      encode: encodeFunction(model, batchSize, weights),
      generate: generateFunction(model, batchSize, weights),
      ...statisticsFunctions(model, train.batchSize, [weights]),
    },
  });
  return {
    ...inferenceModel(machine, model, batchSize),
    run: config,
    step,
    checkpoint,
    digest: await sha256File(checkpoint),
    weights,
    precision,
    takeGeneratorStatistics: (latents) => takeStatistics(machine, 'generator', weights, latents),
    dispose: machine.dispose,
  };
}
