/** BiGAN's perceptrons in the sizes of fixtures/model/dense.json, and its numbers. */
import { readFileSync } from 'node:fs';
import { size } from '../../../src/core/backend/tensor.js';
import type { VariableSpec, VariableValues } from '../../../src/core/backend/variables.js';
import type { Config } from '../../../src/core/config/config.js';
import { resolveConfig } from '../../../src/core/config/resolve.js';
import { fixture } from '../../paths.js';

interface Step {
  losses: Record<string, number>;
  /** Adam's first moments and the weights after one step, by parameter. */
  moments: Record<string, number[]>;
  weights: Record<string, number[]>;
}

export const reference = JSON.parse(readFileSync(fixture('model/dense.json'), 'utf8')) as {
  settings: { rate: number; beta1: number; weight_decay: number; epsilon: number };
  z: number[];
  forward: Record<'images' | 'avepool' | 'bn_crelu' | 'mean' | 'scores' | 'scores_of_images', number[]>;
  steps: Record<string, Step>;
};

const { weight_decay: decay, epsilon } = reference.settings;
export const BATCH = 6;

/** Six images of 4×4 pixels, 3 latents, layers of 5 units. */
export function denseConfig(preset: string, ...settings: string[]): Config {
  const hidden = ['generator', 'discriminator', 'encoder'].map((module) => `model.${module}.hidden=5`);
  const sizes = [
    'model.resolution=4',
    'model.latent=3',
    `train.batchSize=${BATCH}`,
    'train.statisticsBatches=2',
    ...hidden,
  ];
  const visible = [`train.weightDecay=${decay}`, `model.epsilon.batchNorm=${epsilon}`];
  return resolveConfig({ preset, settings: [...sizes, ...visible, ...settings], precision: 'float32' });
}

const array = (number: number, length: number) =>
  Array.from({ length }, (_, i) => Math.sin(0.7 * i * i + 0.3 * i + number));

export const densePixels = Uint8Array.from(array(100, BATCH * 16), (value) => Math.round(127.5 + 127 * value));

/** The fixture's weights, in a model's own variables. */
export function denseWeights(specs: readonly VariableSpec[]): VariableValues {
  const names = specs
    .filter(({ trainable }) => trainable)
    .map(({ name }) => name)
    .sort();
  return new Map(
    specs
      .filter(({ trainable }) => trainable)
      .map(({ name, shape }) => {
        return [
          name,
          { shape, data: Float32Array.from(array(names.indexOf(name), size(shape)), (value) => 0.5 * value) },
        ];
      }),
  );
}

/** The largest difference, in units of the largest wanted value. */
export function far(found: ArrayLike<number>, wanted: readonly number[]): number {
  if (found.length !== wanted.length) return Infinity;
  const largest = Math.max(...wanted.map(Math.abs));
  return Math.max(...wanted.map((value, i) => Math.abs(found[i] - value))) / largest;
}
