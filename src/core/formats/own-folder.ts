/** Folders that this program writes: which they are, and whether one may be replaced. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { expected, UserError } from '../errors.js';
import { exists, refuseExisting } from './exists.js';
import { isTemporary } from './temporary-name.js';

/** A kind of folder. */
export interface FolderKind {
  /** The file that is written last, such as `dataset.json`. */
  marker: string;
  /** Whether the marker is one of ours, by its text; another program may use the same name. */
  isOurs?(text: string): boolean;
  /** Whether a name is that of a file which such a folder has, by the marker's text where it lists them. */
  holds(name: string, marker: string): boolean;
}

export interface FolderOptions {
  /** Replace an existing folder of the same kind. */
  force?: boolean;
  kind: FolderKind;
  /** What is read meanwhile: a folder that holds one of these, or lies in one, is not replaced. */
  inputs?: readonly string[];
}

/** A marker in JSON with this `format`. */
export function hasFormat(format: string): (text: string) => boolean {
  return (text) => {
    try {
      return (JSON.parse(text) as { format?: unknown } | null)?.format === format;
    } catch {
      return false;
    }
  };
}

/**
 * Throws unless a folder may be put at `dir`: it is free, or empty, or with `force` a folder of the same kind that
 * holds nothing else.
 */
export async function checkReplaceable(dir: string, { force, kind, inputs = [] }: FolderOptions): Promise<void> {
  if (dir.trim() === '') throw expected('the name of a folder', '--out', 'an empty one');
  if (!(await exists(dir))) return;
  if (!(await stat(dir)).isDirectory()) throw expected('a folder or a free name', dir, 'a file');
  const names = (await readdir(dir)).filter((name) => !isTemporary(name));
  if (names.length === 0) return;
  if (!names.includes(kind.marker)) throw notOurs(dir, `it has no ${kind.marker}`);
  await refuseExisting(dir, force);
  const text = kind.isOurs ? await readFile(join(dir, kind.marker), 'utf8') : '';
  if (kind.isOurs && !kind.isOurs(text)) {
    throw notOurs(dir, `its ${kind.marker} is that of another program`);
  }
  const foreign = names.find((name) => name !== kind.marker && !kind.holds(name, text));
  if (foreign !== undefined) throw notOurs(dir, `it also holds ${foreign}`);
  for (const input of inputs) await refuseOverlap(dir, input);
}

function notOurs(dir: string, why: string): UserError {
  return new UserError(`${dir} exists and is not a folder of this kind (${why})`, {
    hint: 'choose another name: it is not replaced even with --force',
  });
}

async function refuseOverlap(dir: string, input: string): Promise<void> {
  const [ours, theirs] = await Promise.all([dir, input].map((path) => realpath(path).catch(() => resolve(path))));
  const inside = (path: string, folder: string) => !/^(\.\.(\/|$)|\/)/.test(relative(folder, path));
  if (!inside(ours, theirs) && !inside(theirs, ours)) return;
  throw new UserError(`${dir} cannot be replaced: ${input}, which is read, is part of it or holds it`, {
    hint: 'choose another name',
  });
}
