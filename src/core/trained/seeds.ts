/** What G may be asked for. */
import { checkWhole } from '../checks.js';
import { usage } from '../errors.js';

const LARGEST_SEED = 0x7fffffff;

/** Standing statistics are of seeds below 0. @throws UserError */
export function checkSeeds(seeds: readonly number[]): void {
  for (const seed of seeds) checkWhole('--seeds', seed);
  if (seeds.some((seed) => seed > LARGEST_SEED)) throw usage(`seeds go up to ${LARGEST_SEED}`);
}

/** Latents are drawn until they fit, which takes too long below. @throws UserError */
export function checkTruncation(truncation: number | undefined): void {
  if (truncation !== undefined && !(truncation >= 0.01))
    throw usage(`expected 0.01 or more for --truncation, got ${truncation}`);
}
