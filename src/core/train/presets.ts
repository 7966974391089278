/** Named settings. */
import { UserError } from '../errors.js';
import type { Config } from './config.js';

const epsilon = { batchNorm: 1e-4, spectralNorm: 1e-4 };

/**
 * MNIST digits on two cores in minutes. Against the paper: narrow networks, J on F's map instead of its sum-pooled
 * vector, residual units as wide inside as outside, one D step, higher learning rates, G and E updated on D's batch.
 * docs/results/encoder.md has the reasons.
 */
const mnist: Config = {
  preset: 'mnist',
  seed: 0,
  model: {
    resolution: 32,
    channels: 1,
    latent: 32,
    generator: { channels: 16, multipliers: [4, 4, 2, 1] },
    discriminator: {
      channels: 16,
      multipliers: [1, 2, 4, 8],
      smallest: 4,
      hidden: 256,
      blocks: 1,
      scores: ['xz', 'x', 'z'],
      joint: 'map',
      latentSpectralNorm: true,
    },
    encoder: {
      channels: 16,
      multipliers: [1, 4, 8],
      bottleneck: 1,
      units: [1, 1, 1],
      stem: { size: 3, stride: 2 },
      hidden: 256,
      blocks: 1,
      stochastic: true,
      calibrateSigma: null,
    },
    epsilon,
  },
  train: {
    batchSize: 64,
    steps: 1000,
    discriminatorSteps: 1,
    learningRate: { generator: 5e-4, encoder: 1e-3, discriminator: 5e-4 },
    decayFrom: 0.6,
    decayTo: 0.02,
    adam: { beta1: 0, beta2: 0.999, epsilon: 1e-8 },
    averageDecay: 0.999,
    reuseForward: true,
    flip: false,
    precision: 'float32',
    statisticsBatches: 16,
  },
};

/** For tests: every part of the model, a step in milliseconds. */
const tiny: Config = {
  ...mnist,
  preset: 'tiny',
  model: {
    ...mnist.model,
    latent: 8,
    generator: { channels: 4, multipliers: [2, 2, 1, 1] },
    discriminator: { ...mnist.model.discriminator, channels: 4, multipliers: [1, 1, 2, 2], joint: 'pooled', hidden: 16 },
    encoder: { ...mnist.model.encoder, channels: 4, multipliers: [1, 2, 4], bottleneck: 2, hidden: 16, calibrateSigma: -3 },
  },
  train: { ...mnist.train, batchSize: 8, steps: 20, statisticsBatches: 2 },
};

const PRESETS = { mnist, tiny };

export const presetNames: readonly string[] = Object.keys(PRESETS);

export function preset(name: string): Config {
  const found = PRESETS[name as keyof typeof PRESETS];
  if (!found) {
    throw new UserError(`there is no preset "${name}"`, {
      exitCode: 2,
      hint: `presets: ${presetNames.join(', ')}`,
    });
  }
  return structuredClone(found);
}
