/** Below this part of a batch, images go through one by one: such as those of sets in which each has a size of its own. */
const WORTH_PADDING = 1 / 4;

/**
 * With how many images a network is called when `left` are left: a whole batch, the rest of it padded, or one. Never any other
 * number, since a product of matrices may add up in another order for another number of rows.
 */
export function callSize(left: number, batchSize: number): number {
  return left < batchSize * WORTH_PADDING ? 1 : batchSize;
}
