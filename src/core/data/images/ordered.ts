/** Work on many items at once, results in the order of the items. */
import { availableParallelism } from 'node:os';

/** Enough to keep the decoders busy without holding many large images. */
export const DECODERS = Math.max(2, availableParallelism());

/** Runs `work` on up to `limit` items at a time and yields the results in order; reads no further ahead than that. */
export async function* mapOrdered<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // A failure counts when its turn comes; until then it must not end the process as unhandled.
      result.catch(() => {});
      running.push(result);
      if (running.length >= limit) yield await running.shift()!;
    }
    while (running.length > 0) yield await running.shift()!;
  } finally {
    // When one fails, the others end unseen.
    await Promise.allSettled(running);
  }
}
