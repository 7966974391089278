/** Checkpoints written by a thread while training goes on: a step waits for the copy of the state, not for the disk. */
import { Worker } from 'node:worker_threads';
import type { VariableValues } from '../backend/variables.js';
import { UserError } from '../errors.js';
import type { CheckpointHeader } from './checkpoint-header.js';

export interface CheckpointOrder {
  path: string;
  values: VariableValues;
  header: CheckpointHeader;
}

/** Empty if the checkpoint was written; else the message for the user, or the error of a fault in the program. */
export type CheckpointAnswer = { failure?: { message: string; hint?: string; known: boolean } };

export interface CheckpointWriter extends AsyncDisposable {
  /**
   * Takes the arrays over and begins to write, once the checkpoint before is written. `written` is called when the file
   * is there. @throws the error of the one before
   */
  begin(order: CheckpointOrder, written: () => Promise<void>): Promise<void>;
  /** Waits until nothing is being written. @throws the error of what was */
  settle(): Promise<void>;
  /** @throws at once if what was begun has failed meanwhile */
  check(): void;
  /** Ends the thread, which finishes what it writes; errors of that are left out. */
  [Symbol.asyncDispose](): Promise<void>;
}

export function createCheckpointWriter(): CheckpointWriter {
  let worker: Worker | undefined;
  let pending: Promise<void> = Promise.resolve();
  let failure: { error: unknown } | undefined;
  const settle = async () => {
    await pending;
    check();
  };
  const check = () => {
    if (failure) throw failure.error;
  };
  return {
    async begin(order, written) {
      await settle();
      // Node's own options are for the program: some, such as --input-type, would end a thread.
      worker ??= new Worker(new URL('./checkpoint-worker.js', import.meta.url), { execArgv: [] });
      pending = write(worker, order)
        .then(written)
        .catch((error: unknown) => {
          failure = { error };
        });
    },
    settle,
    check,
    async [Symbol.asyncDispose]() {
      await pending;
      await worker?.terminate();
    },
  };
}

function write(worker: Worker, order: CheckpointOrder): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      worker.off('message', onAnswer).off('error', onError).off('exit', onExit);
      settle();
    };
    const onAnswer = ({ failure }: CheckpointAnswer) => done(() => (failure ? reject(errorOf(failure)) : resolve()));
    const onError = (error: Error) => done(() => reject(error));
    const onExit = () => done(() => reject(new Error('the thread that writes checkpoints has ended')));
    worker.on('message', onAnswer).on('error', onError).on('exit', onExit);
    worker.postMessage(
      order,
      [...order.values.values()].map(({ data }) => data.buffer as ArrayBuffer),
    );
  });
}

function errorOf({ message, hint, known }: NonNullable<CheckpointAnswer['failure']>): Error {
  return known ? new UserError(message, { hint }) : new Error(message);
}
