import type { Curve } from './run-curves.js';

/**
 * TensorBoard's smoothing: an exponential moving average, divided by the sum of its weights. @param weight of what was
 * before, in [0, 1)
 */
export function smoothed({ steps, values }: Curve, weight: number): Curve {
  let average = 0;
  return {
    steps,
    values: values.map((value, i) => {
      average = average * weight + (1 - weight) * value;
      return average / (1 - weight ** (i + 1));
    }),
  };
}
