/** Everything that defines a run: the model, and how it is trained. */
import type { Precision } from '../backend/precision.js';
import type { Crop } from '../data/loading/crop.js';
import type { ModelConfig } from '../model/config.js';

/**
 * What G, E and D are trained for:
 * - `adversarial`: D tells pairs (x, E(x)) from (G(z), z), G and E deceive it (BigBiGAN, BiGAN; a plain GAN without E).
 * - `latent-regressor`: G and D are a GAN on images alone, E finds z in G(z), without an effect on G.
 * - `joint-latent-regressor`: the same, and G is trained to help E.
 * - `autoencoder-l1`, `autoencoder-l2`: G(E(x)) is to be x; there is no D.
 */
export const METHODS = [
  'adversarial',
  'latent-regressor',
  'joint-latent-regressor',
  'autoencoder-l1',
  'autoencoder-l2',
] as const;
export type Method = (typeof METHODS)[number];

/**
 * - `hinge`: the paper's (section 2), each score clamped separately.
 * - `summed-hinge`: one hinge on the sum of the scores, which the paper's footnote found to be worse.
 * - `sigmoid`: BiGAN's cross-entropy on σ(Σ scores), the mean of both halves; G and E train on exchanged labels.
 */
export const LOSSES = ['hinge', 'summed-hinge', 'sigmoid'] as const;
export type Loss = (typeof LOSSES)[number];

export const UPDATES = ['alternating', 'simultaneous'] as const;
export const DECAYS = ['linear', 'exponential'] as const;

export interface TrainConfig {
  method: Method;
  batchSize: number;
  /**
   * The number of images whose gradients are computed at a time; null for the whole batch. The batch of every update is
   * split into parts of this many, whose gradients are added up before the optimizer's one step, so that a step takes
   * the memory of a part. It is the same step except for batch norm, which sees each part separately: its statistics
   * are of this many images ("ghost batch norm", Hoffer et al. 2017).
   */
  microbatch: number | null;
  /** Total number of steps; one step is `discriminatorSteps` updates of D and one joint update of G and E. */
  steps: number;
  discriminatorSteps: number;
  /**
   * D first, then G and E against the new D; or all at once, each by its gradient at the weights before the step
   * (BiGAN), which takes one forward pass of each network.
   */
  updates: (typeof UPDATES)[number];
  learningRate: { generator: number; encoder: number; discriminator: number };
  /** Learning rates are constant up to this fraction of the steps, then fall to `decayTo` of themselves. */
  decayFrom: number;
  decayTo: number;
  /** Along a straight line, or by the same factor at every step. */
  decay: (typeof DECAYS)[number];
  /** L2 weight decay: this times the weight is added to each gradient, before Adam. */
  weightDecay: number;
  adam: { beta1: number; beta2: number; epsilon: number };
  loss: Loss;
  /** Largest decay of the weights' moving average; it starts lower, as min(decay, (1 + step) / (10 + step)). */
  averageDecay: number;
  /** G and E are updated on the last D update's batch, so that their forward pass is done once. */
  reuseForward: boolean;
  /** Part of a stored image that a step sees. */
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
