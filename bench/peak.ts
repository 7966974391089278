/** What the machine computes at best in each precision: one large matrix product and one large 3×3 convolution. */
import type { Engine } from '../src/core/backend/engine.js';
import { cast, conv2d, fill, matMul } from '../src/core/backend/ops.js';
import { emulatesBfloat16 } from '../src/core/backend/precision.js';
import type { Tensor } from '../src/core/backend/tensor.js';

const SIDE = 2048;
const IMAGES = [64, 16, 16, 256];
const KERNEL = [3, 3, 256, 256];
const REPETITIONS = 4;

/** GFLOP/s. */
export interface Peak {
  matmul: number;
  conv: number;
}

/** In each precision; bf16 is left out where it is emulated. */
export interface Peaks {
  float32: Peak;
  bf16: Peak | null;
}

export function measurePeak(engine: Engine): Peaks {
  return { float32: peakOf(engine, 'float32'), bf16: emulatesBfloat16() ? null : peakOf(engine, 'bfloat16') };
}

function peakOf(engine: Engine, dtype: 'float32' | 'bfloat16'): Peak {
  return engine.scope(() => {
    const make = (shape: number[]) => cast(fill(0.5, shape), dtype);
    const [a, b] = [make([SIDE, SIDE]), make([SIDE, SIDE])];
    const [x, kernel] = [make(IMAGES), make(KERNEL)];
    const positions = IMAGES[0] * IMAGES[1] * IMAGES[2];
    return {
      matmul: best(engine, 2 * SIDE ** 3, () => matMul(a, b)),
      conv: best(engine, 2 * positions * KERNEL.reduce((m, n) => m * n), () => conv2d(x, kernel)),
    };
  });
}

function best(engine: Engine, flops: number, body: () => Tensor): number {
  const milliseconds = Array.from({ length: REPETITIONS }, () => {
    const begun = performance.now();
    engine.dispose(body());
    return performance.now() - begun;
  });
  return flops / Math.min(...milliseconds) / 1e6;
}
