/** How `bigbigan train` tells what a run takes and how it goes. */

import type { Config } from '../../core/config/config.js';
import { TERMS } from '../../core/model/config.js';
import type { Estimate } from '../../core/train/estimate.js';

const rounded = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 });
const gigabytes = (bytes: number) => `${rounded(bytes / 1e9)} GB`;

/** The settings, and what a run with them takes. */
export function describeEstimate(config: Config, estimate: Estimate): string {
  const lines = [
    ...Object.entries(estimate.parameters).map(([module, n]) => [module, `${n.toLocaleString('en')} parameters`]),
    ['state', `${gigabytes(estimate.state_bytes)}: weights, moving averages, statistics, optimizer`],
    ...(estimate.gradient_bytes > 0
      ? [['gradients', `${gigabytes(estimate.gradient_bytes)}: sums over the microbatches`]]
      : []),
    ['activations', `${gigabytes(estimate.activation_bytes)} at a step's peak, estimated from shapes`],
    ['step', `${rounded(estimate.flops_per_step / 1e12)} TFLOP in convolutions and matrix products`],
  ].map(([name, text]) => `${name.padEnd(14)} ${text}`);
  return [JSON.stringify(config, null, 2), ...lines].join('\n');
}

/** The losses, each score's mean for (x, E(x)) and (G(z), z), and the speed. */
export function describeStep(values: Record<string, number>, imagesPerSecond: number): string {
  const scores = TERMS.filter((term) => `score_${term}_encoder` in values).map(
    (term) => `s_${term} ${values[`score_${term}_encoder`].toFixed(2)}/${values[`score_${term}_generator`].toFixed(2)}`,
  );
  const losses = Object.entries(values)
    .filter(([name]) => name.startsWith('loss_'))
    .map(([name, value]) => `L_${name.slice(5).toUpperCase()} ${value.toFixed(2)}`);
  return [...losses, ...scores, `${imagesPerSecond.toFixed(0)} images/s`].join(' ');
}
