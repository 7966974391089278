/** A trained model as the commands use it, and where it comes from. Types only. */
import type { Execution } from '../backend/machine.js';
import type { Precision } from '../backend/precision.js';
import type { Pass } from '../layers/scope.js';
import type { InferenceModel } from '../model/inference.js';
import type { ModelProvenance } from './provenance.js';

export interface CheckpointSource {
  /** Folder of a run, whose newest checkpoint is used. */
  run?: string;
  /** A checkpoint file, instead of a run. */
  checkpoint?: string;
}

export interface ModelSource extends CheckpointSource {
  /** Folder of a SavedModel, instead of a run or a checkpoint. */
  model?: string;
}

export interface CheckpointSettings {
  /** Images or latents in a call of `encode` and `generate`. */
  batchSize: number;
  /** The moving average of the weights (default), or the weights as last trained. */
  weights?: Pass['weights'];
  execution?: Execution;
  precision?: Precision;
}

export interface LoadedModel extends InferenceModel {
  provenance: ModelProvenance;
  /** SHA-256 of what it was read from. */
  digest: string;
  /**
   * Takes G's standing statistics anew over `batches` of training's batches of latents, truncated or not. Absent where
   * they are fixed: in a SavedModel, and for an autoencoder, whose statistics are those of E's latents.
   */
  takeGeneratorStatistics?(batches: number, truncation?: number): Promise<void>;
  dispose(): void;
}
