/** Makes a folder and those above it that are missing. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from '../errors.js';

/**
 * As `mkdir -p`. Node's own `recursive` tries for ever where a folder exists in which none can be made (`/proc`).
 * @throws UserError with the reason.
 */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (await isFolder(folder)) return;
    if (code === 'ENOENT' && !(await isFolder(dirname(folder)))) {
      await makeFolder(dirname(folder));
      return makeFolder(folder);
    }
    const reason = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its way' : code;
    throw new UserError(`the folder ${path} cannot be made: ${reason}`, { hint: 'choose a folder that you may write to' });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
