/** Files and folders that appear whole or not at all: written under a temporary name beside, then renamed. */
import { randomBytes } from 'node:crypto';
import { access, type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { expected, UserError } from '../errors.js';
import { makeFolder } from './make-folder.js';
import { noRoom } from './no-room.js';

/** A hidden name in the same folder, so that the later rename never crosses a file system. */
export function temporaryName(path: string): string {
  const full = resolve(path);
  return join(dirname(full), `.${basename(full)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
}

/** The name of the file for which `temporaryName` made this name, if it did. */
export function targetOf(temporary: string): string | undefined {
  return /^\.(.+)\.\d+-[0-9a-f]{8}\.tmp$/.exec(temporary)?.[1];
}

/** Throws if something is at `path` and `force` is off. */
export async function refuseExisting(path: string, force = false): Promise<void> {
  if (!force && (await exists(path))) {
    throw new UserError(`${path} exists already`, { hint: 'choose another name, or add --force to replace it' });
  }
}

/**
 * Writes a file through `write`, syncs it and moves it to `path`, replacing what was there.
 * If `write` throws, the old file stays as it was and nothing is left behind.
 */
export async function writeAtomic(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const temporary = temporaryName(path);
  const handle = await openNew(temporary, path);
  try {
    await write(handle);
    await handle.sync();
    await handle.close();
    await rename(temporary, path);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(temporary, { force: true });
    throw noRoom(error, path);
  }
  await syncFolder(dirname(resolve(path)));
}

/** Creates `temporary` for reading and writing; a missing folder is reported for the `path` that the user named. */
export async function openNew(temporary: string, path: string): Promise<FileHandle> {
  try {
    return await open(temporary, 'wx+');
  } catch (error) {
    throw writeError(error, path);
  }
}

export interface FolderOptions {
  /** Replace an existing folder of the same kind. */
  force?: boolean;
  /** The file that shows an existing folder to be of this kind, such as `dataset.json`. */
  marker: string;
}

/** A folder under construction; nothing is at its name before `commit`. */
export interface PendingFolder {
  /** Where to write meanwhile. */
  path: string;
  commit(): Promise<void>;
  /** Removes what was written; does nothing after a commit. */
  abort(): Promise<void>;
}

/**
 * Starts a folder under a temporary name. Missing parents are made; an empty folder at `dir` is taken over; any other
 * existing folder is refused, and with `force` replaced only if it holds `marker`.
 */
export async function beginFolder(dir: string, options: FolderOptions): Promise<PendingFolder> {
  await checkReplaceable(dir, options);
  const path = temporaryName(dir);
  await makeFolder(path, dir);
  const commit = async () => {
    await syncFolder(path);
    await checkReplaceable(dir, options);
    await replaceFolder(path, dir);
    await syncFolder(dirname(resolve(dir)));
  };
  return { path, commit, abort: () => rm(path, { recursive: true, force: true }) };
}

/** Builds a whole folder with `build` and moves it to `dir`, by the rules of `beginFolder`. */
export async function writeFolderAtomic(
  dir: string,
  options: FolderOptions,
  build: (temporaryDir: string) => Promise<void>,
): Promise<void> {
  const folder = await beginFolder(dir, options);
  try {
    await build(folder.path);
    await folder.commit();
  } catch (error) {
    await folder.abort();
    throw error;
  }
}

/** Throws unless `beginFolder` may put its folder at `dir`. */
export async function checkReplaceable(dir: string, { force, marker }: FolderOptions): Promise<void> {
  if (!(await exists(dir))) return;
  if (!(await stat(dir)).isDirectory()) throw expected('a folder or a free name', dir, 'a file');
  if ((await readdir(dir)).length === 0) return;
  if (!(await exists(join(dir, marker)))) {
    throw new UserError(`${dir} exists and is not a folder of this kind (it has no ${marker})`, {
      hint: 'choose another name: it is not replaced even with --force',
    });
  }
  await refuseExisting(dir, force);
}

async function replaceFolder(temporary: string, dir: string): Promise<void> {
  const old = temporaryName(dir);
  const present = await exists(dir);
  if (present) await rename(dir, old);
  try {
    await rename(temporary, dir);
  } catch (error) {
    if (present) await rename(old, dir);
    throw error;
  }
  if (present) await rm(old, { recursive: true, force: true });
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Makes a rename durable. */
async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function writeError(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return expected('an existing folder', path, `no folder ${dirname(path)}`, 'create it first');
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    return new UserError(`${path} cannot be written: ${code}`, { hint: 'choose a folder that you may write to' });
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return expected('a folder', dirname(path), 'a file', 'choose another name');
  }
  return noRoom(error, path);
}
