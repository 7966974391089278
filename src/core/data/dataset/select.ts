/** Which images of a source go where: a random choice that depends on the seed and the count alone. */
import { expected } from '../../errors.js';
import { integerRandom, permutation } from '../random.js';

export type Part = 'none' | 'main' | 'holdout';

export interface Selection {
  partOf(index: number): Part;
  main: number;
  holdout: number;
}

export interface SelectOptions {
  /** Images taken altogether; default all. */
  limit?: number;
  /** Of these, images for the second set; default none. */
  holdout?: number;
  seed: number;
}

/**
 * Takes the first `limit` of a random order of the source, and of these the first `holdout` for the second set, so that
 * the hold-out set does not change with the limit. Both keep the order of the source.
 */
export function select(count: number, { limit, holdout = 0, seed }: SelectOptions): Selection {
  const taken = Math.min(limit ?? count, count);
  if (holdout >= taken) {
    throw expected(
      `fewer than the ${taken} images`,
      '--holdout',
      `${holdout}`,
      'some must be left for the dataset itself',
    );
  }
  const parts = new Uint8Array(count);
  permutation(count, integerRandom(seed, 0)).forEach((index, place) => {
    parts[index] = place < holdout ? 2 : place < taken ? 1 : 0;
  });
  const names: Part[] = ['none', 'main', 'holdout'];
  return { partOf: (index) => names[parts[index]], main: taken - holdout, holdout };
}
