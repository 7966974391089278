import { UserError } from '../errors.js';

/**
 * Says so if there was no room for `path`: a full disk, a quota, a limit on the size of files. Other errors stay as
 * they are.
 */
export function noRoom(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') return error;
  const what = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the quota is used up',
    EFBIG: 'it would be larger than files may be here',
  }[code];
  return new UserError(`${path} cannot be written: ${what} (${code})`, {
    hint: 'what was there before is unharmed; make room and run the same command again',
  });
}
