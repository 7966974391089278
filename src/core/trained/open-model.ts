/** A trained model for use: from a run, a checkpoint file, or a SavedModel. */
import type { Engine } from '../backend/engine.js';
import { type InferenceModel, type ModelShapes, modelShapes } from '../model/inference.js';
import {
  type CheckpointSettings,
  type CheckpointSource,
  describeCheckpoint,
  openCheckpoint,
} from './open-checkpoint.js';
import { describeSavedModel, openSavedModel } from './open-saved-model.js';
import type { ModelProvenance } from './provenance.js';

export interface ModelSource extends CheckpointSource {
  /** Folder of a SavedModel. */
  model?: string;
}

export interface OpenModel extends InferenceModel {
  provenance: ModelProvenance;
  /** SHA-256 of what it was read from. */
  digest: string;
  /**
   * Takes G's standing statistics anew over so many of training's batches of latents, truncated or not; absent where they are
   * fixed: in a SavedModel, and for an autoencoder, whose statistics are of E's latents.
   */
  takeGeneratorStatistics?(batches: number, truncation?: number): Promise<void>;
  dispose(): void;
}

/** What goes in and comes out, without the engine. */
export async function describeModel(source: ModelSource): Promise<ModelShapes> {
  if (source.model !== undefined) return (await describeSavedModel(source.model)).shapes;
  return modelShapes((await describeCheckpoint(source)).config.model);
}

/** @param settings a SavedModel has its own weights and arithmetic */
export async function openModel(engine: Engine, source: ModelSource, settings: CheckpointSettings): Promise<OpenModel> {
  return source.model === undefined
    ? openCheckpoint(engine, source, settings)
    : openSavedModel(engine, source.model, settings.batchSize);
}
