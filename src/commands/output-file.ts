/** Whether a result can be written, found out before the long work and not after it. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { expected } from '../core/errors.js';
import { refuseExisting } from '../core/formats/atomic.js';

/** Throws when `path` exists and `force` is off, or when its folder is missing or not writable. */
export async function checkOutputFile(path: string, force = false): Promise<void> {
  await refuseExisting(path, force);
  const folder = dirname(resolve(path));
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw expected('a folder that can be written to', path, missing ? `no folder ${folder}` : `${folder}`, 'create it first');
  }
}
