/** Which model is used: without a word on it, nothing is. */
import { usage } from '../errors.js';
import type { CheckpointSource, ModelSource } from './model.js';

/** @throws UserError */
export function requireCheckpoint({ run, checkpoint }: CheckpointSource): void {
  if (run === undefined && checkpoint === undefined)
    throw usage('--run or --checkpoint is missing: which model to use');
}

/** @throws UserError */
export function requireModel({ run, checkpoint, model }: ModelSource): void {
  if (run === undefined && checkpoint === undefined && model === undefined)
    throw usage('--run, --checkpoint or --model is missing: which model to use');
}
