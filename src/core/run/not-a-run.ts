/**
 * Errors for what was named as a run, or as a checkpoint, and is neither: they say what it is, and what to name
 * instead.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { folderKind, RUN } from '../data/folder-kind.js';
import { expected, UserError } from '../errors.js';

export async function isRun(path: string): Promise<boolean> {
  return (await folderKind(path)) === RUN;
}

/** @param option where it was named, such as --run */
export async function notARun(path: string, option: string): Promise<UserError> {
  const wanted = (found: string, hint?: string) => expected('the folder of a run', option, found, hint);
  const status = await stat(path).catch(() => undefined);
  if (!status)
    return new UserError(`there is no run at ${path}`, { hint: 'train one: bigbigan train --run DIR --data DIR' });
  if (!status.isDirectory())
    return wanted(
      `the file ${path}`,
      option === '--run' ? 'a checkpoint file goes with --checkpoint' : 'a checkpoint is a .safetensors file',
    );
  const above = join(path, '..');
  if (await isRun(above)) return wanted(`${path}, a folder within a run`, `name the run: ${above}`);
  const runs = await runsIn(path);
  if (runs.length === 0) return wanted(`${path}, ${(await folderKind(path)) ?? 'which holds no run'}`);
  return wanted(`${path}, which holds the runs ${listed(runs)}`, `name the run itself, such as ${join(path, runs[0])}`);
}

/** Undefined for a file. */
export async function notACheckpoint(path: string): Promise<UserError | undefined> {
  const status = await stat(path).catch(() => undefined);
  if (!status?.isDirectory()) return undefined;
  const wanted = (found: string, hint: string) => expected('a checkpoint file', '--checkpoint', found, hint);
  if (await isRun(path)) return wanted(`the run ${path}`, `its newest checkpoint: --run ${path}`);
  const newest = (await readdir(path).catch((): string[] => []))
    .filter((name) => name.endsWith('.safetensors'))
    .sort()
    .at(-1);
  return wanted(
    `the folder ${path}`,
    newest === undefined ? 'name a .safetensors file' : `name a file in it, such as ${join(path, newest)}`,
  );
}

/** Names of the runs in a folder, in order. */
async function runsIn(path: string): Promise<string[]> {
  const names = (await readdir(path).catch((): string[] => [])).sort();
  const runs = await Promise.all(names.map((name) => isRun(join(path, name))));
  return names.filter((_, i) => runs[i]);
}

function listed(names: readonly string[]): string {
  const MOST = 5;
  return names.length > MOST ? `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more` : names.join(', ');
}
