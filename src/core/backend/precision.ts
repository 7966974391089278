/** In which arithmetic the networks run. */
import { processorFeatures } from './install/device.js';

/** bf16 is mixed precision: see graph/bfloat16.ts. */
export const PRECISIONS = ['float32', 'bf16'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** bf16 where the processor multiplies in it, float32 elsewhere. */
export function defaultPrecision(): Precision {
  return multipliesInBfloat16() ? 'bf16' : 'float32';
}

/** Where it does not, bf16 takes many times as long as float32. */
export function multipliesInBfloat16(): boolean {
  const features = processorFeatures();
  return features.includes('AMX_BF16') || features.includes('AVX512_BF16');
}
