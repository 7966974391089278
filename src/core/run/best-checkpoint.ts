/**
 * `checkpoints/best.safetensors`: a further name of the best checkpoint, so that it outlives pruning and takes no room
 * of its own.
 */
import { createReadStream } from 'node:fs';
import { link, rename, rm } from 'node:fs/promises';
import { writeAtomic } from '../formats/atomic.js';
import { exists } from '../formats/exists.js';
import { temporaryName } from '../formats/temporary-name.js';
import { readCheckpointHeader } from './checkpoint.js';
import type { RunFolder } from './run-folder.js';

/** File systems without hard links, or without room for another one. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Marks the checkpoint of `step` as the best, atomically; if that checkpoint is gone, nothing changes.
 */
export async function markBest(folder: RunFolder, step: number): Promise<void> {
  const source = folder.checkpoint(step);
  if (!(await exists(source))) return;
  const temporary = temporaryName(folder.best);
  try {
    await link(source, temporary);
    await rename(temporary, folder.best);
  } catch (error) {
    if (!NO_LINKS.includes((error as NodeJS.ErrnoException).code!)) throw error;
    await copyFile(source, folder.best);
  } finally {
    // Where both are names of one file already, rename leaves both.
    await rm(temporary, { force: true });
  }
}

/** The file of the best checkpoint, if it is that of `step`. */
export async function bestCheckpoint(folder: RunFolder, step: number): Promise<string | undefined> {
  const header = await readCheckpointHeader(folder.best).catch(() => undefined);
  return header?.step === step ? folder.best : undefined;
}

/** Atomic; replaces an existing file. */
export async function copyFile(source: string, target: string): Promise<void> {
  await writeAtomic(target, async (handle) => {
    for await (const chunk of createReadStream(source, { highWaterMark: 1 << 20 }))
      await handle.appendFile(chunk as Buffer);
  });
}
