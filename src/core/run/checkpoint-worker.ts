/** The thread that writes checkpoints, one at a time. */
import { parentPort } from 'node:worker_threads';
import { UserError } from '../errors.js';
import { saveCheckpoint } from './checkpoint.js';
import type { CheckpointAnswer, CheckpointOrder } from './checkpoint-writer.js';

const port = parentPort!;

port.on('message', ({ path, values, header }: CheckpointOrder) => {
  saveCheckpoint(path, values, header).then(
    () => port.postMessage({} satisfies CheckpointAnswer),
    (error: Error) => {
      const known = error instanceof UserError;
      const failure = {
        message: known ? error.message : String(error.stack),
        known,
        ...(known && { hint: error.hint }),
      };
      port.postMessage({ failure } satisfies CheckpointAnswer);
    },
  );
});
