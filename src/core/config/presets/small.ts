/** Settings for small images and small machines: `mnist`, and what others change of it. */
import type { Config } from '../config.js';
import type { DerivedPreset } from './changes.js';

/**
 * MNIST digits on two cores in minutes. Against the paper: narrow networks, J on F's map instead of its sum-pooled
 * vector, no spectral norm in H and J, residual units as wide inside as outside, one D step, higher learning rates, G
 * and E updated on D's batch. docs/results/encoder.md has the reasons.
 */
export const mnist = {
  preset: 'mnist',
  seed: 0,
  model: {
    resolution: 32,
    channels: 1,
    latent: 32,
    prior: 'normal',
    classes: 1,
    generator: { kind: 'biggan', channels: 16, multipliers: [4, 4, 2, 1], embedding: 0, attention: 0 },
    discriminator: {
      kind: 'residual',
      channels: 16,
      multipliers: [1, 2, 4, 8],
      smallest: 4,
      attention: 0,
      hidden: 256,
      blocks: 1,
      scores: ['xz', 'x', 'z'],
      joint: 'map',
      latentSpectralNorm: false,
    },
    encoder: {
      kind: 'resnet',
      resolution: 32,
      channels: 16,
      multipliers: [1, 4, 8],
      bottleneck: 1,
      units: [1, 1, 1],
      stem: { size: 3, stride: 2, pool: false },
      hidden: 256,
      blocks: 1,
      stochastic: true,
      calibrateSigma: null,
    },
    epsilon: { batchNorm: 1e-4, spectralNorm: 1e-4 },
  },
  train: {
    method: 'adversarial',
    batchSize: 64,
    microbatch: null,
    steps: 1000,
    discriminatorSteps: 1,
    updates: 'alternating',
    learningRate: { generator: 5e-4, encoder: 1e-3, discriminator: 5e-4 },
    decayFrom: 0.6,
    decayTo: 0.02,
    decay: 'linear',
    weightDecay: 0,
    adam: { beta1: 0, beta2: 0.999, epsilon: 1e-8 },
    loss: 'hinge',
    averageDecay: 0.999,
    reuseForward: true,
    crop: 'center',
    flip: false,
    precision: 'float32',
    statisticsBatches: 16,
  },
} satisfies Config as Config;

/**
 * CIFAR-10 at 32 pixels: BigGAN-PyTorch's settings for G and F (Brock's code, launch_cifar_ema.sh) except for the
 * skip-z latent, the orthogonal start, the missing labels, mirrored images, and the moving average, which begins at the
 * first step instead of at step 1,000; E is a ResNet-50 with the small stem that is usual at this size.
 */
export const cifar10: DerivedPreset = {
  name: 'cifar10',
  changes: {
    model: {
      channels: 3,
      latent: 128,
      generator: { channels: 64, multipliers: [4, 4, 4, 4] },
      discriminator: {
        channels: 64,
        multipliers: [4, 4, 4, 4],
        smallest: 8,
        hidden: 1024,
        blocks: 4,
        joint: 'pooled',
        latentSpectralNorm: true,
      },
      encoder: {
        channels: 64,
        multipliers: [4, 8, 16, 32],
        bottleneck: 4,
        units: [3, 4, 6, 3],
        stem: { stride: 1 },
        hidden: 1024,
        blocks: 2,
      },
      epsilon: { batchNorm: 1e-5, spectralNorm: 1e-8 },
    },
    train: {
      batchSize: 50,
      steps: 125_000,
      discriminatorSteps: 4,
      learningRate: { generator: 2e-4, encoder: 2e-4, discriminator: 2e-4 },
      decayFrom: 1,
      decayTo: 0,
      averageDecay: 0.9999,
      reuseForward: false,
      flip: true,
      statisticsBatches: 100,
    },
  },
};

/** For tests: every part of the model, a step in milliseconds. */
export const tiny: DerivedPreset = {
  name: 'tiny',
  changes: {
    model: {
      latent: 8,
      generator: { channels: 4, multipliers: [2, 2, 1, 1] },
      discriminator: { channels: 4, multipliers: [1, 1, 2, 2], hidden: 16, joint: 'pooled', latentSpectralNorm: true },
      encoder: { channels: 4, multipliers: [1, 2, 4], bottleneck: 2, hidden: 16, calibrateSigma: -3 },
    },
    train: { batchSize: 8, steps: 20, statisticsBatches: 2 },
  },
};
