/** The three networks together: what variables they have, and how they are reached. */
import { createDryExecutor } from '../backend/dry.js';
import { constant, fill, withExecutor } from '../backend/executor.js';
import type { Tensor } from '../backend/tensor.js';
import { size } from '../backend/tensor.js';
import { declareOnly, type VariableSpec, type Variables } from '../backend/variables.js';
import { AVERAGE, createPass, type Pass, type PassOptions } from '../layers/scope.js';
import { hasDiscriminator, hasEncoder, imageResolution, type ModelConfig } from './config.js';
import { discriminate } from './discriminator.js';
import { encode, sampleLatent } from './encoder.js';
import { generate } from './generator.js';

export const MODULES = ['generator', 'discriminator', 'encoder'] as const;
export type Module = (typeof MODULES)[number];

/** Modules whose weights are averaged over training; the averages are what evaluation uses. */
export const AVERAGED: readonly Module[] = ['generator', 'encoder'];

export const moduleOf = (name: string): Module => name.split('/')[0] as Module;

/** All variables of a model, without the engine: the networks are run on shapes alone. */
export function modelVariables(config: ModelConfig): VariableSpec[] {
  const variables = declareOnly();
  withExecutor(createDryExecutor(), () => {
    const pass = modelPass(config, variables, { weights: 'trained', statistics: 'batch' });
    const n = 2;
    const noise = fill(0, [n, config.latent]);
    const labels = constant(new Int32Array(n), [n]);
    const images = generate(pass, noise, config, labels);
    const side = imageResolution(config);
    const encoded = () => sampleLatent(encode(pass, fill(0, [n, side, side, config.channels]), config), noise);
    const latents = hasEncoder(config) ? encoded() : undefined;
    if (hasDiscriminator(config)) discriminate(pass, { images: [images], latents, labels }, config);
  });
  const specs = [...variables.specs.values()];
  const averages = specs
    .filter((spec) => spec.trainable && AVERAGED.includes(moduleOf(spec.name)))
    .map((spec) => ({ ...spec, name: AVERAGE + spec.name, trainable: false }));
  return [...specs, ...averages];
}

/** Number of trainable parameters of each module. */
export function parameterCounts(specs: Iterable<VariableSpec>): Record<Module, number> {
  const counts: Record<Module, number> = { generator: 0, discriminator: 0, encoder: 0 };
  for (const spec of specs) if (spec.trainable) counts[moduleOf(spec.name)] += size(spec.shape);
  return counts;
}

export function modelPass(config: ModelConfig, variables: Variables, options: Partial<PassOptions> = {}): Pass {
  return createPass({ epsilon: config.epsilon, ...options, variables });
}

/** The parameters that a pass has read, by name. */
export function parametersOf(pass: Pass): { names: string[]; tensors: Tensor[] } {
  return { names: [...pass.parameters.keys()], tensors: [...pass.parameters.values()] };
}
