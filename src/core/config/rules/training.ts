/** What settings of training ask of one another. */
import { usage } from '../../errors.js';
import type { TrainConfig } from '../config.js';

export function checkTraining({ microbatch, batchSize, decay, decayTo }: TrainConfig): void {
  if (microbatch !== null && batchSize % microbatch !== 0) {
    throw usage(`train.microbatch is ${microbatch}, which does not divide train.batchSize, ${batchSize}`);
  }
  if (decay === 'exponential' && decayTo === 0) {
    throw usage('expected more than 0 for train.decayTo where train.decay is exponential, got 0');
  }
}
