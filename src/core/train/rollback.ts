/** What is said of going back to a checkpoint, in events and in the log. */
import { appendJsonl } from '../formats/jsonl.js';
import type { Retry } from '../run/checkpoint-header.js';
import type { LoopSettings } from './loop-settings.js';
import { MOST_TRIES } from './retry.js';
import type { NotFinite } from './step/non-finite.js';

export async function logRollback(
  { folder, on }: LoopSettings,
  { step: failed, term }: NotFinite,
  from: number,
  { tries }: Retry,
): Promise<void> {
  const message = `${term}; training goes back to step ${from} and on with other random numbers, try ${tries} of ${MOST_TRIES}`;
  on({ kind: 'warning', step: failed, message });
  // By its step the line belongs to what comes after the checkpoint: a process that goes on from there writes it anew.
  await appendJsonl(folder.log, { step: from + 1, rollback: { failed, term, to: from, try: tries } });
}
