/** Everything that defines a run: the model, and how it is trained. */
import type { Precision } from '../backend/precision.js';
import type { ModelConfig } from '../model/config.js';
import type { Loss } from './losses.js';

export const CROPS = ['center', 'random-resized', 'distorted'] as const;
export type Crop = (typeof CROPS)[number];

export interface TrainConfig {
  batchSize: number;
  /** Total number of steps; one step is `discriminatorSteps` updates of D and one joint update of G and E. */
  steps: number;
  discriminatorSteps: number;
  learningRate: { generator: number; encoder: number; discriminator: number };
  /** Learning rates are constant up to this fraction of the steps, then fall linearly to `decayTo` of themselves. */
  decayFrom: number;
  decayTo: number;
  adam: { beta1: number; beta2: number; epsilon: number };
  loss: Loss;
  /** Largest decay of the weights' moving average; it starts lower, as min(decay, (1 + step) / (10 + step)). */
  averageDecay: number;
  /** G and E are updated on the last D update's batch, so that their forward pass is done once. */
  reuseForward: boolean;
  /**
   * Part of a stored image that a step sees: the central square; a random part of 8 to 100 % of the area, of aspect 3/4 to 4/3
   * (as ResNets are trained); or a random square of 50 to 100 % (compare_gan's "distorted").
   */
  crop: Crop;
  /** Mirror each image with probability 1/2. */
  flip: boolean;
  /** Arithmetic of the networks; presets leave it to the machine, and a run keeps what it began with. */
  precision: Precision;
  /** Batches over which standing statistics are taken. */
  statisticsBatches: number;
}

export interface Config {
  preset: string;
  seed: number;
  model: ModelConfig;
  train: TrainConfig;
}
