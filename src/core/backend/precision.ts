/** In which arithmetic the networks run. */
import { processorFeatures } from './install/device.js';

/** bf16 is mixed precision: see graph/bfloat16.ts. */
export type Precision = 'float32' | 'bf16';

/** bf16 where the processor multiplies in it, float32 elsewhere. */
export function defaultPrecision(): Precision {
  const features = processorFeatures();
  return features.includes('AMX_BF16') || features.includes('AVX512_BF16') ? 'bf16' : 'float32';
}
