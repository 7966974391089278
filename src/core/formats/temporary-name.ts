/** Names of what is being written: hidden, in the same folder, with the process that writes. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

const FORM = /^\.(.+)\.(\d+)-[0-9a-f]{8}\.tmp$/;
/** Longest name that a file system takes, in bytes, less what is added. */
const LONGEST = 255 - 24;

/** A hidden name in the same folder, so that the later rename never crosses a file system. */
export function temporaryName(path: string): string {
  const full = resolve(path);
  const name = Buffer.from(basename(full))
    .subarray(0, LONGEST)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
  return join(dirname(full), `.${name}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
}

export const isTemporary = (name: string): boolean => FORM.test(name);

/** The name of the file for which `temporaryName` made this name, if it did. */
export function targetOf(temporary: string): string | undefined {
  return FORM.exec(temporary)?.[1];
}

/** Removes what processes that are gone have left of `path`, and of what is in it. */
export async function removeLeftovers(path: string): Promise<void> {
  const full = resolve(path);
  const stale = (name: string, target?: string) => {
    const [, wanted, pid] = FORM.exec(name) ?? [];
    return wanted !== undefined && (target === undefined || wanted === target) && !existsSync(`/proc/${pid}`);
  };
  const names = (folder: string) => readdir(folder).catch(() => [] as string[]);
  for (const name of await names(dirname(full))) {
    if (stale(name, basename(full))) await rm(join(dirname(full), name), { recursive: true, force: true });
  }
  for (const name of await names(full)) {
    if (stale(name)) await rm(join(full, name), { recursive: true, force: true });
  }
}
