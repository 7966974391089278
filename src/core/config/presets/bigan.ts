/**
 * Permutation-invariant MNIST of BiGAN (Donahue et al. 2017, Table 1): networks of fully connected layers on 28×28
 * digits as vectors, and the baselines beside it. Settings as in jeffdonahue/bigan: 200 epochs of 60,000 images, then
 * 200 more in which the learning rate falls to a hundredth.
 */
import type { Config, Method } from '../config.js';
import type { DerivedPreset } from './changes.js';

/** 400 epochs of 60,000 images in batches of 128. */
const STEPS = 187_500;

export const biganMnist = {
  preset: 'bigan-mnist',
  seed: 0,
  model: {
    resolution: 28,
    channels: 1,
    latent: 50,
    prior: 'uniform',
    classes: 1,
    generator: { kind: 'dense', hidden: 1024 },
    discriminator: { kind: 'dense', hidden: 1024, scores: ['xz'] },
    encoder: { kind: 'dense', hidden: 1024 },
    epsilon: { batchNorm: 1e-8, spectralNorm: 1e-8 },
  },
  train: {
    method: 'adversarial',
    batchSize: 128,
    microbatch: null,
    steps: STEPS,
    discriminatorSteps: 1,
    updates: 'simultaneous',
    learningRate: { generator: 2e-4, encoder: 2e-4, discriminator: 2e-4 },
    decayFrom: 0.5,
    decayTo: 0.01,
    decay: 'exponential',
    weightDecay: 2.5e-5,
    adam: { beta1: 0.5, beta2: 0.999, epsilon: 1e-8 },
    loss: 'sigmoid',
    averageDecay: 0,
    reuseForward: true,
    crop: 'center',
    flip: false,
    precision: 'float32',
    statisticsBatches: 1000,
  },
} satisfies Config as Config;

const baseline = (method: Method, scores: [] | ['x']): DerivedPreset => ({
  name: `${method}-mnist`,
  changes: { model: { discriminator: { scores } }, train: { method } },
});

/** The other columns of the table; autoencoders have no D. */
export const biganBaselines = [
  baseline('latent-regressor', ['x']),
  baseline('joint-latent-regressor', ['x']),
  baseline('autoencoder-l2', []),
  baseline('autoencoder-l1', []),
];
