/** Files and folders that appear whole or not at all: written under a temporary name beside, then renamed. */
import { type FileHandle, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { expected, UserError } from '../errors.js';
import { exists } from './exists.js';
import { makeFolder } from './make-folder.js';
import { noRoom } from './no-room.js';
import { checkReplaceable, type FolderKind, type FolderOptions } from './own-folder.js';
import { isTemporary, removeLeftovers, temporaryName } from './temporary-name.js';

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

/** A folder under construction; nothing is at its name before `commit`. */
export interface PendingFolder {
  /** Where to write meanwhile. */
  path: string;
  commit(): Promise<void>;
  /** Removes what was written; does nothing after a commit. */
  abort(): Promise<void>;
}

/**
 * Starts a folder under a temporary name. Missing parents are made; links are followed; an empty folder at `dir` is
 * filled in place, as a mount point must be; any other existing folder is refused, and with `force` replaced only if it
 * is of this kind and holds nothing else.
 */
export async function beginFolder(named: string, options: FolderOptions): Promise<PendingFolder> {
  await checkReplaceable(named, options);
  const present = await exists(named);
  const dir = present ? await realpath(named) : resolve(named);
  await removeLeftovers(dir);
  const inPlace = present && ((await isEmpty(dir)) || (await isMountPoint(dir)));
  const path = inPlace ? temporaryName(join(dir, basename(dir) || 'out')) : temporaryName(dir);
  await makeFolder(path, named);
  const commit = async () => {
    await syncFolder(path);
    await checkReplaceable(named, options);
    if (inPlace) await moveInto(path, dir, options.kind);
    else await replaceFolder(path, dir);
    await syncFolder(dirname(dir));
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

const isEmpty = async (dir: string) => (await readdir(dir)).every(isTemporary);

async function isMountPoint(dir: string): Promise<boolean> {
  return dir === '/' || (await stat(dir)).dev !== (await stat(dirname(dir))).dev;
}

/** Replaces the files of `dir`, whose own name must stay: the old marker goes first, and the new one comes last. */
async function moveInto(from: string, dir: string, { marker }: FolderKind): Promise<void> {
  await rm(join(dir, marker), { force: true });
  const names = await readdir(from);
  for (const old of (await readdir(dir)).filter((name) => !isTemporary(name) && !names.includes(name))) {
    await rm(join(dir, old), { recursive: true, force: true });
  }
  for (const name of [...names.filter((each) => each !== marker), ...(names.includes(marker) ? [marker] : [])]) {
    await rename(join(from, name), join(dir, name));
    if (name !== marker) await syncFolder(dir);
  }
  await rm(from, { recursive: true, force: true });
  await syncFolder(dir);
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
