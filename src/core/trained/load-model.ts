/** A trained model for use: from a run, a checkpoint file, or a SavedModel. */
import type { Engine } from '../backend/engine.js';
import { type ModelShapes, modelShapes } from '../model/inference.js';
import type { CheckpointSettings, LoadedModel, ModelSource } from './model.js';
import { describeCheckpoint, openCheckpoint } from './open-checkpoint.js';
import { describeSavedModel, openSavedModel } from './open-saved-model.js';
import { requireModel } from './require-model.js';

/** What goes into the networks and comes out, without the engine. */
export async function describeModel(source: ModelSource): Promise<ModelShapes> {
  requireModel(source);
  if (source.model !== undefined) return (await describeSavedModel(source.model)).shapes;
  return modelShapes((await describeCheckpoint(source)).config.model);
}

/** @param settings a SavedModel has its own weights and arithmetic: of the settings only `batchSize` counts */
export async function loadModel(
  engine: Engine,
  source: ModelSource,
  settings: CheckpointSettings,
): Promise<LoadedModel> {
  return source.model === undefined
    ? openCheckpoint(engine, source, settings)
    : openSavedModel(engine, source.model, settings.batchSize);
}
