/** A trained model for use: from the newest checkpoint of a run, or from a checkpoint file. */
import type { EagerExecutor } from '../backend/eager.js';
import { constant } from '../backend/ops.js';
import { type ResourceVariables, allocate } from '../backend/variables.js';
import { sha256File } from '../formats/digest.js';
import type { Pass } from '../layers/scope.js';
import { modelVariables } from '../model/bigbigan.js';
import { type InferenceModel, inferenceModel } from '../model/inference.js';
import { readCheckpoint, readCheckpointHeader } from './checkpoint.js';
import type { Config } from './config.js';
import { findCheckpoint } from './run-folder.js';

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
  variables: ResourceVariables;
}

/** What a checkpoint says of itself, without the engine. */
export async function describeModel(source: ModelSource): Promise<{ checkpoint: string; step: number; config: Config }> {
  const checkpoint = await findCheckpoint(source);
  return { checkpoint, ...(await readCheckpointHeader(checkpoint)) };
}

export async function openModel(
  engine: EagerExecutor,
  source: ModelSource,
  { batchSize, weights = 'average' }: { batchSize: number; weights?: Pass['weights'] },
): Promise<OpenModel> {
  const { checkpoint, config } = await describeModel(source);
  const specs = modelVariables(config.model).filter(({ name }) => !name.startsWith('discriminator/'));
  const { values, step } = await readCheckpoint(checkpoint, specs);
  const variables = allocate(engine, specs, ({ name, shape }) => constant(values.get(name)!.data, shape));
  return {
    ...inferenceModel(engine, config.model, variables, { batchSize, weights }),
    run: config,
    step,
    checkpoint,
    digest: await sha256File(checkpoint),
    weights,
    variables,
  };
}
