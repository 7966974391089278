/** Weights and images from a formula, which fixtures/inception/make.py has too: both sides have the same bits. */
import { join } from 'node:path';
import { hash } from '../../../src/core/backend/initialise.js';
import { size } from '../../../src/core/backend/tensor.js';
import type { VariableValues } from '../../../src/core/backend/variables.js';
import { writeSafetensors } from '../../../src/core/formats/safetensors.js';
import { tensorShapes } from '../../../src/core/inception/weights.js';

/** Bits of number i of an array, uniform over 32 bits. */
function bits(name: number, i: number): number {
  let h = Math.imul(i + name, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca77);
  return (h ^ (h >>> 13)) >>> 0;
}

/** float32 values from a name alone, of sizes that keep the network's activations near 1. */
export function array(name: string, shape: readonly number[]): Float32Array {
  const seed = hash(name);
  const part = name.split('/').at(-1);
  const fan = size(shape.slice(0, -1));
  const [centre, width] =
    part === 'kernel' ? [0, Math.sqrt(6 / fan)] : part === 'scale' || part === 'variance' ? [1, 0.5] : [0, 0.25];
  const values = new Float32Array(size(shape));
  for (let i = 0; i < values.length; i++) values[i] = centre + width * (bits(seed, i) / 2 ** 31 - 1);
  return values;
}

/** uint8 images [n,h,w,c]. */
export function images(name: string, shape: readonly number[]): Uint8Array {
  const seed = hash(name);
  return Uint8Array.from({ length: size(shape) }, (_, i) => bits(seed, i) >>> 24);
}

export function syntheticWeights(): VariableValues {
  return new Map([...tensorShapes()].map(([name, shape]) => [name, { shape, data: array(name, shape) }]));
}

/** The path of a file of all weights in our form, 96 MB. */
export async function writeSyntheticWeights(dir: string): Promise<string> {
  const path = join(dir, 'inception.safetensors');
  await writeSafetensors(path, syntheticWeights());
  return path;
}
