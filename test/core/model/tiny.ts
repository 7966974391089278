/** The preset `tiny` with weights of its own seed, for tests. */
import { startEngine } from '../../../src/core/backend/engine.js';
import { constant } from '../../../src/core/backend/executor.js';
import { initialValue } from '../../../src/core/backend/initialise.js';
import { size } from '../../../src/core/backend/tensor.js';
import { allocate } from '../../../src/core/backend/variables.js';
import { resolveConfig } from '../../../src/core/config/resolve.js';
import { modelVariables } from '../../../src/core/model/bigbigan.js';
import type { ModelConfig } from '../../../src/core/model/config.js';

export const engine = await startEngine();

/** In float32, whatever the machine prefers. */
export const config = (...settings: string[]) => resolveConfig({ preset: 'tiny', settings, precision: 'float32' });

/**
 * Variables of a model. Averages differ from the weights, and standing statistics from 0 and 1, so that mixing any of
 * them up changes results.
 */
export function variablesOf(model: ModelConfig, seed = 5) {
  return allocate(engine, modelVariables(model), (spec) => {
    if (/standing_variance$/.test(spec.name)) return constant(new Float32Array(size(spec.shape)).fill(0.8), spec.shape);
    if (/standing_mean$/.test(spec.name)) return constant(new Float32Array(size(spec.shape)).fill(0.1), spec.shape);
    return initialValue(spec, seed);
  });
}

export function valuesOf(model: ModelConfig, seed?: number) {
  const variables = variablesOf(model, seed);
  const values = variables.values();
  variables.dispose();
  return values;
}

/** Values that repeat, in [−1, 1]. */
export const noise = (length: number, seed = 1) =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * i * 0.7 + i + seed * 10));

export const pixels = (length: number, seed = 1) =>
  Uint8Array.from(noise(length, seed), (value) => 127.5 + 127 * value);
