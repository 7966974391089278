/** Latents by seed: each image's latent depends on its own seed alone, whatever the batch. */
import type { EagerExecutor } from '../backend/eager.js';
import { hash } from '../backend/initialise.js';
import { ints, randomNormal } from '../backend/ops.js';

/**
 * Rows of N(0, I), float32 [seeds.length, latent], row i from `seeds[i]`.
 * With `truncation` t, each value is drawn again until |value| ≤ t (Brock et al. 2019, section 3.1).
 */
export function latentsOf(engine: EagerExecutor, seeds: readonly number[], latent: number, truncation = Infinity): Float32Array {
  const rows = new Float32Array(seeds.length * latent);
  seeds.forEach((seed, i) => rows.set(latentOf(engine, seed, latent, truncation), i * latent));
  return rows;
}

/** N(0, I) for E's sampling, by image number: row i of a set is the same in any batch or shard. */
export function encoderNoise(engine: EagerExecutor, seed: number, first: number, count: number, latent: number): Float32Array {
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

function latentOf(engine: EagerExecutor, seed: number, latent: number, truncation: number): Float32Array {
  const row = new Float32Array(latent);
  let kept = 0;
  for (let draw = 0; kept < latent; draw++) {
    for (const value of normals(engine, seed, draw, Math.max(latent, 256))) {
      if (Math.abs(value) <= truncation && kept < latent) row[kept++] = value;
    }
  }
  return row;
}

function normals(engine: EagerExecutor, seed: number, draw: number, count: number): Float32Array {
  return engine.scope(() => {
    const key = ints([hash(`latent/${draw}`), seed]);
    return (engine.read(randomNormal([count], key)) as Float32Array).slice();
  });
}
