/**
 * The rows of the paper's Tables 1 and 3, each the change that its row makes. Where the paper's main part is silent,
 * values are BigGAN's (batch norm and spectral norm epsilon, Adam, learning rates, D steps, moving average, non-local
 * blocks) or choices of ours: Adam's epsilon is BigGAN-PyTorch's at 128 pixels; z has 120 dimensions at 64 and 128
 * pixels and 140 at 256, so that it splits into equal chunks; G and F at 64 pixels have no non-local block; H, J and
 * E's head are the residual MLPs of layers/residual-mlp.ts.
 */
import type { TrunkConfig } from '../../model/config.js';
import type { Config } from '../config.js';
import type { Changes, DerivedPreset } from './changes.js';

/**
 * Inception Score, FID against the training set (in Table 3 against the validation set too), and top-1 of a linear
 * classifier in percent, with deviations over three runs where there were three.
 */
export interface Published {
  table: 1 | 3;
  row: string;
  inceptionScore: string;
  fid: string;
  fidValidation?: string;
  top1: string;
}

export interface PublishedPreset extends DerivedPreset {
  published: Published;
}

/** Table 1's Base, which the other rows change. */
export const base = {
  preset: 'base',
  seed: 0,
  model: {
    resolution: 128,
    channels: 3,
    latent: 120,
    prior: 'normal',
    classes: 1,
    generator: { kind: 'biggan', channels: 96, multipliers: [16, 16, 8, 4, 2, 1], embedding: 128, attention: 64 },
    discriminator: {
      kind: 'residual',
      channels: 96,
      multipliers: [1, 2, 4, 8, 16, 16],
      smallest: 4,
      attention: 64,
      hidden: 2048,
      blocks: 4,
      scores: ['xz', 'x', 'z'],
      joint: 'pooled',
      latentSpectralNorm: true,
    },
    encoder: {
      kind: 'resnet',
      resolution: 128,
      channels: 64,
      multipliers: [4, 8, 16, 32],
      bottleneck: 4,
      units: [3, 4, 6, 3],
      stem: { size: 7, stride: 2, pool: true },
      hidden: 4096,
      blocks: 2,
      stochastic: true,
      calibrateSigma: null,
    },
    epsilon: { batchNorm: 1e-4, spectralNorm: 1e-4 },
  },
  train: {
    method: 'adversarial',
    batchSize: 2048,
    microbatch: null,
    steps: 500_000,
    discriminatorSteps: 2,
    updates: 'alternating',
    learningRate: { generator: 5e-5, encoder: 5e-5, discriminator: 2e-4 },
    decayFrom: 1,
    decayTo: 0,
    decay: 'linear',
    weightDecay: 0,
    adam: { beta1: 0, beta2: 0.999, epsilon: 1e-6 },
    loss: 'hinge',
    averageDecay: 0.9999,
    reuseForward: false,
    crop: 'random-resized',
    flip: true,
    precision: 'float32',
    statisticsBatches: 100,
  },
} satisfies Config as Config;

const highResolution = { resolution: 256 };
function revnet(times: number): Changes<TrunkConfig> {
  return { kind: 'revnet', resolution: 256, channels: 256 * times, multipliers: [1, 2, 4, 8] };
}
const fast = { learningRate: { encoder: 5e-4 } };
const generator64 = {
  resolution: 64,
  generator: { multipliers: [16, 16, 8, 4, 2], attention: 0 },
  discriminator: { multipliers: [1, 2, 4, 8, 16], attention: 0 },
};
const generator256 = {
  resolution: 256,
  latent: 140,
  generator: { multipliers: [16, 16, 8, 8, 4, 2, 1], attention: 128 },
  discriminator: { multipliers: [1, 2, 4, 8, 8, 16, 16], attention: 64 },
};

function row(
  name: string,
  title: string,
  inceptionScore: string,
  fid: string,
  top1: string,
  changes: Changes<Config> = {},
): PublishedPreset {
  return { name, published: { table: 1, row: title, inceptionScore, fid, top1 }, changes };
}

const TABLE_1 = [
  row('base', 'Base', '22.66 ± 0.18', '31.19 ± 0.37', '48.10 ± 0.13'),
  row('deterministic-encoder', 'Deterministic E', '22.79 ± 0.27', '31.31 ± 0.30', '46.97 ± 0.35', {
    model: { encoder: { stochastic: false } },
  }),
  row('uniform-prior', 'Uniform P_z', '22.83 ± 0.24', '31.52 ± 0.28', '45.11 ± 0.93', {
    model: { prior: 'uniform', encoder: { stochastic: false } },
  }),
  row('x-unary-only', 'x Unary Only', '23.19 ± 0.28', '31.99 ± 0.30', '47.74 ± 0.20', {
    model: { discriminator: { scores: ['xz', 'x'] } },
  }),
  row('z-unary-only', 'z Unary Only', '19.52 ± 0.39', '39.48 ± 1.00', '47.78 ± 0.28', {
    model: { discriminator: { scores: ['xz', 'z'] } },
  }),
  row('no-unaries', 'No Unaries (BiGAN)', '19.70 ± 0.30', '42.92 ± 0.92', '46.71 ± 0.88', {
    model: { discriminator: { scores: ['xz'] } },
  }),
  row('small-generator-32', 'Small G (32)', '3.28 ± 0.18', '247.30 ± 10.31', '43.59 ± 0.34', {
    model: { generator: { channels: 32 } },
  }),
  row('small-generator-64', 'Small G (64)', '19.96 ± 0.15', '38.93 ± 0.39', '47.54 ± 0.33', {
    model: { generator: { channels: 64 } },
  }),
  row('no-encoder', 'No E (GAN)', '23.56 ± 0.37', '30.91 ± 0.23', '–', {
    model: { discriminator: { scores: ['x'] }, encoder: { kind: 'none' } },
  }),
  row('high-res-encoder', 'High Res E (256)', '23.45 ± 0.14', '27.86 ± 0.13', '50.80 ± 0.30', {
    model: { encoder: highResolution },
  }),
  row('low-res-generator', 'Low Res G (64)', '19.40 ± 0.19', '15.82 ± 0.06', '47.51 ± 0.09', {
    model: { ...generator64, encoder: highResolution },
  }),
  row('high-res-generator', 'High Res G (256)', '24.70', '38.58', '51.49', {
    model: { ...generator256, encoder: highResolution },
  }),
  row('resnet101', 'ResNet-101', '23.29', '28.01', '51.21', {
    model: { encoder: { ...highResolution, units: [3, 4, 23, 3] } },
  }),
  row('resnet50x2', 'ResNet ×2', '23.68', '27.81', '52.66', {
    model: { encoder: { ...highResolution, channels: 128 } },
  }),
  row('revnet50', 'RevNet', '23.33 ± 0.09', '27.78 ± 0.06', '49.42 ± 0.18', { model: { encoder: revnet(1) } }),
  row('revnet50x2', 'RevNet ×2', '23.21', '27.96', '54.40', { model: { encoder: revnet(2) } }),
  row('revnet50x4', 'RevNet ×4', '23.23', '28.15', '57.15', { model: { encoder: revnet(4) } }),
  row('resnet50-fast-encoder', 'ResNet (↑E LR)', '23.27 ± 0.22', '28.51 ± 0.44', '53.70 ± 0.15', {
    model: { encoder: highResolution },
    train: fast,
  }),
  row('revnet50x4-fast-encoder', 'RevNet ×4 (↑E LR)', '23.08', '28.54', '60.15', {
    model: { encoder: revnet(4) },
    train: fast,
  }),
];

/**
 * Table 3: unconditional generation at 128 pixels with compare_gan's crops; median (mean ± deviation) of three runs.
 */
function generation(
  name: string,
  title: string,
  [inceptionScore, fid, fidValidation]: readonly [string, string, string],
  changes: Changes<Config> = {},
): PublishedPreset {
  const { model, train } = changes;
  const published = { table: 3 as const, row: title, inceptionScore, fid, fidValidation, top1: '–' };
  return { name, published, changes: { model, train: { crop: 'distorted', flip: false, ...train } } };
}

/**
 * The rows without E are results of Lučić et al. 2019, whose code (compare_gan) has these rates for BigGAN at 128
 * pixels.
 */
const compareGan = { learningRate: { generator: 1e-4, discriminator: 5e-4 } };

const TABLE_3 = [
  generation('generation-biggan', 'BigGAN + SL, 500K', ['20.4 (15.4 ± 7.57)', '–', '25.3 (71.7 ± 66.32)'], {
    model: { discriminator: { scores: ['x'] }, encoder: { kind: 'none' } },
    train: compareGan,
  }),
  generation(
    'generation-biggan-clustering',
    'BigGAN + Clustering, 500K',
    ['22.7 (22.8 ± 0.42)', '–', '23.2 (22.7 ± 0.80)'],
    {
      // The number of clusters is that of Lučić et al. 2019; the labels are the dataset's.
      model: { classes: 50, discriminator: { scores: ['x'] }, encoder: { kind: 'none' } },
      train: compareGan,
    },
  ),
  generation('generation-base', 'BigBiGAN + SL, 500K', [
    '25.38 (25.33 ± 0.17)',
    '22.78 (22.63 ± 0.23)',
    '23.60 (23.56 ± 0.12)',
  ]),
  generation(
    'generation-high-res-encoder',
    'BigBiGAN High Res E + SL, 500K',
    ['25.43 (25.45 ± 0.04)', '22.34 (22.36 ± 0.04)', '22.94 (23.00 ± 0.15)'],
    {
      model: { encoder: highResolution },
    },
  ),
  generation(
    'generation-high-res-encoder-1m',
    'BigBiGAN High Res E + SL, 1M',
    ['27.94 (27.80 ± 0.21)', '20.32 (20.27 ± 0.09)', '21.61 (21.62 ± 0.09)'],
    {
      model: { encoder: highResolution },
      train: { steps: 1_000_000 },
    },
  ),
];

export const publishedPresets: readonly PublishedPreset[] = [...TABLE_1, ...TABLE_3];
