/** The engine together with a trained model, as every function on trained models begins. */
import { type Engine, startEngine } from '../backend/engine.js';
import type { Execution } from '../backend/machine.js';
import { defaultPrecision, PRECISIONS, type Precision, precisionWarning } from '../backend/precision.js';
import { checkChoice, checkWhole } from '../checks.js';
import type { Pass } from '../layers/scope.js';
import type { EngineWorkOptions } from '../work.js';
import { MODEL_DEFAULTS } from './defaults.js';
import { loadModel } from './load-model.js';
import type { LoadedModel, ModelSource } from './model.js';
import { requireModel } from './require-model.js';

/** Which model is used, and how it computes. One of `run`, `checkpoint` and `model` is needed. */
export interface ModelSettings extends ModelSource {
  /** The moving average of the weights (default), or the weights as last trained; not for a SavedModel. */
  weights?: Pass['weights'];
  /** Arithmetic of the networks; default bf16 where the processor has it, else float32. Not for a SavedModel. */
  precision?: Precision;
  /** As one graph (default), or op by op in float32, which is for debugging. */
  execution?: Execution;
  /** Images in a call of the networks, default 200. Results do not depend on it. */
  batchSize?: number;
}

export interface StartedModel {
  engine: Engine;
  model: LoadedModel;
  batchSize: number;
  [Symbol.dispose](): void;
}

/** What can be said of the settings alone. @throws UserError */
export function checkModelSettings(settings: ModelSettings): void {
  const { weights, precision, execution, batchSize } = settings;
  requireModel(settings);
  checkChoice('--weights', weights, ['average', 'trained']);
  checkChoice('--precision', precision, PRECISIONS);
  checkChoice('execution', execution, ['traced', 'eager']);
  checkWhole('--batch-size', batchSize, { least: 1 });
}

/** @throws UserError for settings that cannot be, and when there is no such model, or it is damaged */
export async function startModel(
  settings: ModelSettings,
  { threads, on, signal }: EngineWorkOptions,
): Promise<StartedModel> {
  signal?.throwIfAborted();
  checkModelSettings(settings);
  const { execution = 'traced', weights, batchSize = MODEL_DEFAULTS.batchSize } = settings;
  const engine = await startEngine({ threads });
  const precision = execution === 'eager' ? 'float32' : (settings.precision ?? defaultPrecision());
  const warning = settings.model === undefined ? precisionWarning(precision) : undefined;
  if (warning) on?.({ kind: 'warning', message: warning });
  const model = await loadModel(engine, settings, { batchSize, weights, execution, precision });
  return { engine, model, batchSize, [Symbol.dispose]: model.dispose };
}
