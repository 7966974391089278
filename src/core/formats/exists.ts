/** Whether something is at a path. */
import { access } from 'node:fs/promises';
import { UserError } from '../errors.js';

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Throws if something is at `path` and `force` is off. */
export async function refuseExisting(path: string, force = false): Promise<void> {
  if (!force && (await exists(path))) {
    throw new UserError(`${path} exists already`, { hint: 'choose another name, or add --force to replace it' });
  }
}
