/** In which arithmetic the networks run. */
import { processorFeatures } from './install/device.js';

/** bf16 is mixed precision: see graph/bfloat16.ts. */
export const PRECISIONS = ['float32', 'bf16'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** bf16 where the processor multiplies in it, float32 elsewhere. */
export function defaultPrecision(): Precision {
  return multipliesInBfloat16(processorFeatures()) ? 'bf16' : 'float32';
}

/** What a user is told before long work in `precision`, if anything. */
export function precisionWarning(precision: Precision): string | undefined {
  if (precision !== 'bf16' || !emulatesBfloat16()) return undefined;
  return 'this processor emulates bf16, which takes many times as long as float32';
}

/** Whether the processor is known to have no bf16. */
export function emulatesBfloat16(): boolean {
  const features = processorFeatures();
  return features.length > 0 && !multipliesInBfloat16(features);
}

const multipliesInBfloat16 = (features: readonly string[]) =>
  features.includes('AMX_BF16') || features.includes('AVX512_BF16');
