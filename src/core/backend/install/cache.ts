/** The user's cache folder: what is downloaded and built once serves every clone. */
import { mkdtemp, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { makeFolder } from '../../formats/make-folder.js';
import type { Device } from './release.js';

/** Two libraries, the wheel they come from, and some air. */
const NEEDED_BYTES = 1.4e9;

export function cacheFolder(): string {
  if (process.env.BIGBIGAN_CACHE) return resolve(process.env.BIGBIGAN_CACHE);
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bigbigan');
}

/** The folder of one TensorFlow: `lib`, `include`, `binding` and a manifest. */
export function prefixFolder(device: Device): string {
  return join(cacheFolder(), `tensorflow-2.21-${device}-${process.platform}-${process.arch}`);
}

/** Runs `work` with a fresh folder inside the cache, on the same file system as its results, and removes it. */
export async function withWorkFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const cache = cacheFolder();
  let folder: string;
  try {
    await makeFolder(cache);
    await removeAbandoned(cache);
    folder = await mkdtemp(join(cache, 'work-'));
  } catch (error) {
    throw new UserError(`cannot write the cache folder ${cache}: ${(error as Error).message}`, {
      hint: 'set BIGBIGAN_CACHE to a folder that you may write',
    });
  }
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Work folders of processes that were killed; none takes two hours. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith('work-')) continue;
    const folder = join(cache, name);
    const changed = (await stat(folder).catch(() => undefined))?.mtimeMs ?? Infinity;
    if (changed < Date.now() - 2 * 3600 * 1000) await rm(folder, { recursive: true, force: true });
  }
}

/** Fails early when the cache's file system is too full for the libraries. */
export async function checkSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= NEEDED_BYTES) return;
  throw new UserError(
    `expected ${gigabytes(NEEDED_BYTES)} free for TensorFlow's libraries in ${folder}, got ${gigabytes(bavail * bsize)}`,
    { hint: 'free some space, or set BIGBIGAN_CACHE to a folder on another disk' },
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Moves a complete folder to its name; an older one of that name goes, one that another process just made may stay. */
export async function publish(folder: string, target: string, replace: boolean): Promise<void> {
  if (replace) {
    const old = `${folder}-old`;
    await rename(target, old).catch(ignoreMissing);
    await rm(old, { recursive: true, force: true });
  }
  await rename(folder, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
