/**
 * Going back to the last checkpoint when numbers stop being finite: the steps from there to the failure are done again
 * with other noise and other batches. What has been retried is part of later checkpoints, so that the run is as
 * repeatable as any.
 */
import { hash } from '../backend/initialise.js';
import type { Retry } from '../run/checkpoint-header.js';
import type { NotFinite } from './step/non-finite.js';

/** How often training goes back to the same checkpoint. */
export const MOST_TRIES = 3;

/**
 * The retries of a run after one more failure, when it goes back to the checkpoint of step `from`.
 * @throws the failure, if that checkpoint has been gone back to often enough
 */
export function retriesAfter(failure: NotFinite, retries: readonly Retry[], from: number): Retry[] {
  const earlier = retries.find((retry) => retry.from === from);
  const tries = (earlier?.tries ?? 0) + 1;
  if (tries > MOST_TRIES) throw failure.afterTries(MOST_TRIES, from);
  // A later checkpoint may lie within steps that have been retried: their draw has just failed.
  const draw = 1 + Math.max(0, ...retries.map((retry) => retry.draw));
  return [
    ...retries.filter((retry) => retry !== earlier),
    { from, until: Math.max(failure.step, earlier?.until ?? 0), draw, tries },
  ];
}

/** The draw of a step, from 0. */
export function drawOf(retries: readonly Retry[], step: number): number {
  return retries.findLast(({ from, until }) => from <= step && step < until)?.draw ?? 0;
}

/** What the step's noise depends on, besides the run's seed: an int32. */
export function noiseKey(step: number, draw: number): number {
  return draw === 0 ? step : hash(`${draw}/${step}`);
}

/** The seed of the order and the crops of the images. */
export function dataSeed(seed: number, draw: number): number {
  return seed + draw * 2 ** 32;
}
