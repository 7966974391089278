/** Threads that make batches of stored images while the main thread is busy. */
import { Worker } from 'node:worker_threads';
import type { Location, Recipe } from '../dataset/stored.js';

/** The images of a batch from place `first` on. */
export interface DecodeOrder {
  order: number;
  step: number;
  first: number;
  locations: Location[];
}

/** uint8 [locations, resolution, resolution, channels], or which place of the batch could not be made, and why. */
export type DecodeAnswer = { order: number } & (
  | { images: Uint8Array<ArrayBuffer> }
  | { place: number; reason: string }
);

export interface DecodePool {
  /** The images of a step's batch, in order: uint8 [locations, resolution, resolution, channels]. */
  decode(step: number, locations: Location[]): Promise<Uint8Array>;
  /** Ends the threads; batches that are not complete are given up. */
  close(): Promise<void>;
}

/** The image at a place of a batch that could not be made; the message says why. */
export class UndecodableError extends Error {
  constructor(
    readonly place: number,
    reason: string,
  ) {
    super(reason);
  }
}

interface DecodeThread {
  send(step: number, first: number, locations: Location[]): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Starts `workers` threads. Each takes its share of every batch, a few images at a time. They decode on Node's pool of
 * four threads, which all share: to use more than four processors, UV_THREADPOOL_SIZE must be set when the program
 * starts. Idle threads do not keep the process alive.
 */
export function createDecodePool(workers: number, recipe: Recipe): DecodePool {
  const threads = Array.from({ length: workers }, () => startThread(recipe));
  return {
    decode: async (step, locations) => {
      const share = Math.ceil(locations.length / workers);
      const parts = threads.map((thread, i) => {
        const mine = locations.slice(i * share, (i + 1) * share);
        return mine.length > 0 ? thread.send(step, i * share, mine) : new Uint8Array(0);
      });
      return new Uint8Array(Buffer.concat(await Promise.all(parts)));
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

function startThread(recipe: Recipe): DecodeThread {
  // Node's own options are for the program: some, such as --input-type, would end a thread.
  const worker = new Worker(new URL('./decode-worker.js', import.meta.url), { workerData: recipe, execArgv: [] });
  const waiting = new Map<number, { resolve(images: Uint8Array): void; reject(error: Error): void }>();
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let orders = 0;
  let closing = false;
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  worker.unref();
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('a decoding thread has ended')));
  worker.on('message', (answer: DecodeAnswer) => {
    const { resolve, reject } = waiting.get(answer.order)!;
    waiting.delete(answer.order);
    if (waiting.size === 0 && !closing) worker.unref();
    if ('images' in answer) resolve(answer.images);
    else reject(new UndecodableError(answer.place, answer.reason));
  });
  return {
    send: (step, first, locations) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        const order = orders++;
        waiting.set(order, { resolve, reject });
        worker.ref();
        worker.postMessage({ order, step, first, locations } satisfies DecodeOrder);
      }),
    close: async () => {
      closing = true;
      worker.ref();
      worker.postMessage('close');
      await ended;
    },
  };
}
