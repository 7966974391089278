/** Which images a step sees: epochs follow each other without a gap, each in an order of its own. */
import { integerRandom, permutation } from '../random.js';

/** The images' numbers in the batch of a step; they depend on the seed and the step alone. */
export function batchOrder(count: number, batchSize: number, seed: number): (step: number) => Uint32Array {
  const orders = new Map<number, Uint32Array>();
  const order = (epoch: number) => {
    let found = orders.get(epoch);
    if (!found) {
      found = permutation(count, integerRandom(seed, epoch));
      // A batch touches the end of one epoch and the start of the next; older orders are not needed again.
      if (orders.size >= 4) orders.delete(orders.keys().next().value!);
      orders.set(epoch, found);
    }
    return found;
  };
  return (step) =>
    Uint32Array.from({ length: batchSize }, (_, i) => {
      const position = step * batchSize + i;
      return order(Math.floor(position / count))[position % count];
    });
}
