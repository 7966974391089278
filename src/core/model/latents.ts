/** Latents by seed: each image's latent depends on its own seed alone, whatever the batch. */
import type { EagerExecutor } from '../backend/eager.js';
import { hash } from '../backend/initialise.js';
import { addScalar, ints, randomNormal, randomUniform, scale } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import type { Prior } from './config.js';

/** The latents and labels that G takes. */
export interface LatentSpace {
  /** Dimensions of a latent. */
  latent: number;
  prior: Prior;
  /** Number of labels. */
  classes: number;
}

/**
 * Rows of the prior, float32 [seeds.length, latent], row i from `seeds[i]`.
 * With `truncation` t, each value is drawn again until |value| ≤ t (Brock et al. 2019, section 3.1).
 */
export function latentsOf(
  engine: EagerExecutor,
  seeds: readonly number[],
  space: LatentSpace,
  truncation = Infinity,
): Float32Array {
  const { latent } = space;
  const rows = new Float32Array(seeds.length * latent);
  seeds.forEach((seed, i) => rows.set(latentOf(engine, seed, space, truncation), i * latent));
  return rows;
}

/** A label for each seed, int32 [seeds.length], uniform over the classes. */
export function labelsOf(seeds: readonly number[], { classes }: LatentSpace): Int32Array {
  return Int32Array.from(seeds, (seed) => (hash(`label/${seed}`) >>> 0) % classes);
}

/** N(0, I) for E's sampling, by image number: row i of a set is the same in any batch or shard. */
export function encoderNoise(
  engine: EagerExecutor,
  seed: number,
  first: number,
  count: number,
  latent: number,
): Float32Array {
  const rows = new Float32Array(count * latent);
  for (let i = 0; i < count; i++) {
    const row = engine.scope(() => {
      const key = ints([hash(`${seed}/encoder sample`), first + i]);
      return (engine.read(randomNormal([latent], key)) as Float32Array).slice();
    });
    rows.set(row, i * latent);
  }
  return rows;
}

function latentOf(
  engine: EagerExecutor,
  seed: number,
  { latent, prior }: LatentSpace,
  truncation: number,
): Float32Array {
  const row = new Float32Array(latent);
  let kept = 0;
  for (let draw = 0; kept < latent; draw++) {
    for (const value of drawn(engine, prior, seed, draw, Math.max(latent, 256))) {
      if (Math.abs(value) <= truncation && kept < latent) row[kept++] = value;
    }
  }
  return row;
}

function drawn(engine: EagerExecutor, prior: Prior, seed: number, draw: number, count: number): Float32Array {
  return engine.scope(() =>
    (engine.read(sampleOf(prior, [count], ints([hash(`latent/${draw}`), seed]))) as Float32Array).slice(),
  );
}

/** Values of the prior; `seed` is an int32 tensor [2]. */
export function sampleOf(prior: Prior, shape: readonly number[], seed: Tensor): Tensor {
  return prior === 'normal' ? randomNormal(shape, seed) : addScalar(scale(randomUniform(shape, seed), 2), -1);
}
