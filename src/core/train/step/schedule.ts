import type { Config, TrainConfig } from '../../config/config.js';
import { hasDiscriminator, hasEncoder } from '../../model/config.js';

/**
 * Factor on all learning rates at a step: 1, then down to `decayTo` at the end, by a straight line or exponentially.
 */
export function decayFactor(
  step: number,
  { steps, decayFrom, decayTo, decay }: Pick<TrainConfig, 'steps' | 'decayFrom' | 'decayTo' | 'decay'>,
): number {
  const start = decayFrom * steps;
  if (step <= start) return 1;
  const progress = Math.min(1, (step - start) / Math.max(1, steps - start));
  return decay === 'linear' ? 1 - (1 - decayTo) * progress : decayTo ** progress;
}

/** Whether a run that has done `done` steps with the one total has had other learning rates than with the other. */
export function leavesSchedule(done: number, earlier: TrainConfig, now: TrainConfig): boolean {
  return done > 0 && decayFactor(done - 1, earlier) !== decayFactor(done - 1, now);
}

/** The rates that a step uses, for a line of the log. */
export function learningRates(step: number, { model, train }: Config): Record<string, number> {
  const factor = decayFactor(step, train);
  return {
    learning_rate_generator: train.learningRate.generator * factor,
    ...(hasEncoder(model) && { learning_rate_encoder: train.learningRate.encoder * factor }),
    ...(hasDiscriminator(model) && { learning_rate_discriminator: train.learningRate.discriminator * factor }),
  };
}
