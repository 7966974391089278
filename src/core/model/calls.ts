/**
 * Below this part of a batch, images go through one by one: such as those of sets in which each has a size of its own.
 */
const WORTH_PADDING = 1 / 4;

export interface Call {
  /** First row that it is for. */
  first: number;
  /** Rows that it is for. */
  count: number;
  /** Rows that the network is given: the rest is padding. */
  size: number;
}

/**
 * How `count` rows go through a network: in whole batches, the rest of the last padded, or one by one. Never in any
 * other number, since a product of matrices may add up in another order for another number of rows.
 */
export function* callsFor(count: number, batchSize: number): Generator<Call> {
  for (let first = 0; first < count; ) {
    const left = count - first;
    const size = left < batchSize * WORTH_PADDING ? 1 : batchSize;
    const call = { first, count: Math.min(size, left), size };
    yield call;
    first += call.count;
  }
}

/** The rows of a call in an array of rows of `width` values, filled up with zeros. */
export function rowsOf<T extends Uint8Array | Int32Array | Float32Array>(
  values: T,
  { first, count, size }: Call,
  width: number,
): T {
  const rows = new (values.constructor as new (n: number) => T)(size * width);
  rows.set(values.subarray(first * width, (first + count) * width));
  return rows;
}
