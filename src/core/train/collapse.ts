/** Signs that training has collapsed, found in what steps report. None is proof: a run goes on, and its log says so. */

import type { Config, Loss } from '../config/config.js';
import type { Sign, Streaks } from '../run/checkpoint-header.js';

/**
 * Steps after which a sign counts, and steps between the reminders that follow.
 */
export const LASTING = 100;
export const REMINDER = 1000;

/**
 * Fraction of the loss of a D that cannot distinguish the pairs: below it, no pair gives G and E a gradient to speak
 * of.
 */
const SATURATED = 0.01;
/** Of the spread of μ over a batch, averaged over dimensions; the prior's is 1, and healthy runs begin above 0.02. */
const SPREAD = 0.01;

/** D's loss at scores of 0. */
function undecided(loss: Loss, terms: number): number {
  return { hinge: 2 * terms, 'summed-hinge': 2, sigmoid: Math.LN2 }[loss];
}

/** The streaks after one more step, whose report is given. */
export function countSigns(streaks: Streaks, values: Record<string, number>, { model, train }: Config): Streaks {
  const seen: Record<Sign, boolean> = {
    discriminator_saturated: values.loss_d < SATURATED * undecided(train.loss, model.discriminator.scores.length),
    encoder_collapsed: values.encoder_mean_std < SPREAD,
  };
  const signs = (Object.keys(seen) as Sign[]).filter((sign) => seen[sign]);
  return Object.fromEntries(signs.map((sign) => [sign, (streaks[sign] ?? 0) + 1]));
}

/** The signs that have lasted. */
export function lastingSigns(streaks: Streaks): Sign[] {
  return (Object.keys(streaks) as Sign[]).filter((sign) => streaks[sign]! >= LASTING);
}

/** The warnings of this step: one when a sign begins to count, then at intervals. */
export function warnings(streaks: Streaks): string[] {
  return lastingSigns(streaks)
    .filter((sign) => (streaks[sign]! - LASTING) % REMINDER === 0)
    .map((sign) => MEANINGS[sign](streaks[sign]!));
}

const MEANINGS: Record<Sign, (steps: number) => string> = {
  discriminator_saturated: (steps) =>
    `D has classified all pairs correctly for ${steps} steps (its loss is near 0), so G and E learn little from it; a lower learning rate of D may help`,
  encoder_collapsed: (steps) =>
    `E has given nearly the same output for all images for ${steps} steps (encoder_mean_std is below ${SPREAD}); another seed or lower learning rates may help`,
};
