/** Makes a folder and those above it that are missing. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { noRoom } from './no-room.js';

/**
 * As `mkdir -p`. Node's own `recursive` tries for ever where a folder exists in which none can be made (`/proc`).
 * @param named what errors speak of: the folder that the user named
 */
export async function makeFolder(path: string, named = path): Promise<void> {
  const folder = resolve(path);
  const parent = dirname(folder);
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (await isFolder(folder)) return;
    if (code !== 'ENOENT' || parent === folder || (await isFolder(parent))) throw notMade(error, named);
    await makeFolder(parent, named);
    await makeFolder(folder, named);
  }
}

function notMade(error: unknown, path: string): unknown {
  const full = noRoom(error, path);
  if (full !== error) return full;
  const { code } = error as NodeJS.ErrnoException;
  const reason = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its way' : code;
  return new UserError(`the folder ${path} cannot be made: ${reason}`, {
    hint: 'choose a folder that you may write to',
  });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
