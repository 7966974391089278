/** Factor on all learning rates at a step: 1, then a straight line down towards `decayTo` at the end. */
export function decayFactor(step: number, { steps, decayFrom, decayTo }: { steps: number; decayFrom: number; decayTo: number }): number {
  const start = decayFrom * steps;
  if (step <= start) return 1;
  const progress = Math.min(1, (step - start) / Math.max(1, steps - start));
  return 1 - (1 - decayTo) * progress;
}
