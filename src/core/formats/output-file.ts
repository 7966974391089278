/** Whether a result can be written, found out before the long work and not after it. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { expected, usage } from '../errors.js';
import { exists, refuseExisting } from './exists.js';
import { checkReplaceable, type FolderOptions } from './own-folder.js';

/** Throws when `path` is a folder, when it exists and `force` is off, or when its folder is missing or not writable. */
export async function checkOutputFile(path: string, force = false): Promise<void> {
  if ((await stat(path).catch(() => undefined))?.isDirectory())
    throw expected('the name of a file', path, 'a folder', 'add the name of a file in it');
  await refuseExisting(path, force);
  await checkWritable(dirname(resolve(path)), path);
}

/** Throws when the folder `path` may not be replaced, or cannot be made; missing parents will be. */
export async function checkOutputFolder(path: string, options: FolderOptions): Promise<void> {
  await checkReplaceable(path, options);
  let parent = dirname(resolve(path));
  while (!(await exists(parent)) && dirname(parent) !== parent) parent = dirname(parent);
  await checkWritable(parent, path);
}

async function checkWritable(folder: string, path: string): Promise<void> {
  const wanted = 'a folder that can be written to';
  const status = await stat(folder).catch(() => undefined);
  if (!status) throw expected(wanted, path, `no folder ${folder}`, 'create it first');
  if (!status.isDirectory()) throw expected(wanted, path, `${folder}, which is a file`, 'choose another name');
  await access(folder, constants.W_OK | constants.X_OK).catch(() => {
    throw expected(
      wanted,
      path,
      `${folder}, which is write-protected`,
      'choose another place, or change its permissions',
    );
  });
}

/** Suffixes of the files that one could take a command to write. */
const FILE_NAME = /\.(png|jpe?g|webp|gif|tiff?|np[yz]|csv|txt|json|tar|zip|pkl|pt|h5|safetensors)$/i;

/**
 * A folder with the name of a file, such as samples.jpg, is most likely a mistake.
 * @param what what --out may be, for the message
 */
export function refuseFileName(out: string, what: string): void {
  if (!FILE_NAME.test(out)) return;
  throw usage(`expected ${what} for --out, got ${out}`, `a folder of that name: --out ${out}/`);
}
