/** A trained model from the newest checkpoint of a run, or from a checkpoint file. */
import type { Engine } from '../backend/engine.js';
import { createMachine } from '../backend/machine.js';
import { DamagedFile } from '../errors.js';
import { sha256File } from '../formats/digest.js';
import { modelVariables } from '../model/bigbigan.js';
import { hasDiscriminator } from '../model/config.js';
import { inferenceFunctions } from '../model/functions.js';
import { inferenceModel } from '../model/inference.js';
import {
  statisticsBatches,
  statisticsFunctions,
  statisticsLatents,
  takeStatistics,
} from '../model/standing-statistics.js';
import { readCheckpoint, readCheckpointHeader } from '../run/checkpoint.js';
import type { CheckpointHeader } from '../run/checkpoint-header.js';
import { findCheckpoint, listCheckpoints } from '../run/run-folder.js';
import type { CheckpointSettings, CheckpointSource, LoadedModel } from './model.js';
import { requireCheckpoint } from './require-model.js';

/** What a checkpoint says of itself, without the engine. */
export async function describeCheckpoint(source: CheckpointSource): Promise<CheckpointHeader & { checkpoint: string }> {
  requireCheckpoint(source);
  const checkpoint = await findCheckpoint(source);
  return { checkpoint, ...(await namingOlder(source, readCheckpointHeader(checkpoint))) };
}

/**
 * Where the newest checkpoint of a run is damaged, the error says how to use the one before it. It is not taken by
 * itself, as when training goes on: what is made from a model is of the model that was asked for.
 */
async function namingOlder<T>({ run, checkpoint }: CheckpointSource, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (checkpoint !== undefined || !(error instanceof DamagedFile)) throw error;
    const older = (await listCheckpoints(run!)).at(-2);
    throw older ? new DamagedFile(error.message, { hint: `for the one before it: --checkpoint ${older.path}` }) : error;
  }
}

export async function openCheckpoint(
  engine: Engine,
  source: CheckpointSource,
  { batchSize: wanted, weights = 'average', execution = 'traced', precision = 'float32' }: CheckpointSettings,
): Promise<LoadedModel> {
  // Mixed precision leaves products of one row in float32; two rows and more are computed alike.
  const batchSize = Math.max(2, wanted);
  const { checkpoint, config } = await describeCheckpoint(source);
  const { model, train } = config;
  const specs = modelVariables(model).filter(({ name }) => !name.startsWith('discriminator/'));
  const { values, step } = await namingOlder(source, readCheckpoint(checkpoint, specs));
  const machine = createMachine(engine, {
    execution,
    precision,
    specs,
    values,
    functions: {
      ...inferenceFunctions(model, batchSize, weights),
      ...statisticsFunctions(model, statisticsBatches(train).size, [weights]),
    },
  });
  const digest = await sha256File(checkpoint);
  const takeGeneratorStatistics = async (batches: number, truncation?: number) => {
    const { size, count } = statisticsBatches(train, batches);
    const latents = statisticsLatents(engine, count, { batchSize: size, space: model, truncation });
    await takeStatistics(machine, 'generator', [weights], count, latents);
  };
  return {
    ...inferenceModel(machine, model, batchSize),
    provenance: { checkpoint, checkpoint_digest: digest, step, weights, precision },
    digest,
    // An autoencoder's statistics are of E's latents, which a checkpoint does not contain.
    ...(hasDiscriminator(model) ? { takeGeneratorStatistics } : {}),
    dispose: machine.dispose,
  };
}
