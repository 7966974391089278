/**
 * Neighbours on disk: a folder with `indices.npy` int32 and `distances.npy` float32, both [queries, k], nearest first.
 */
import { join } from 'node:path';
import { expected, UserError } from '../../errors.js';
import { writeFolderAtomic } from '../../formats/atomic.js';
import { sha256File } from '../../formats/digest.js';
import { exists } from '../../formats/exists.js';
import { createNpyWriter, openNpyRows, writeNpy } from '../../formats/npy/npy.js';
import type { FolderKind } from '../../formats/own-folder.js';
import type { Neighbours } from '../../metrics/neighbours/knn.js';

const MARKER = 'indices.npy';
const FILES = { [MARKER]: 'int32', 'distances.npy': 'float32' } as const;
const NAMES = Object.keys(FILES) as (keyof typeof FILES)[];
/** The folder as a whole. */
export const NEIGHBOURS_FOLDER: FolderKind = {
  marker: MARKER,
  holds: (name) => NAMES.includes(name as (typeof NAMES)[number]),
};
const PIECE_ROWS = 65_536;

/** SHA-256 of each file. */
export type NeighbourDigests = Record<keyof typeof FILES, string>;

/** What a result says of its neighbours. */
export interface NeighbourPart {
  /** The file of the result. */
  path: string;
  folder?: string;
  digests?: NeighbourDigests;
  queries: number;
}

export async function writeNeighbours(
  dir: string,
  { rows, distances, found }: Neighbours,
  force?: boolean,
): Promise<NeighbourDigests> {
  const shape = [rows.length / found, found];
  await writeFolderAtomic(dir, { force, kind: NEIGHBOURS_FOLDER }, async (folder) => {
    await writeNpy(join(folder, MARKER), shape, rows);
    await writeNpy(join(folder, 'distances.npy'), shape, Float32Array.from(distances));
  });
  return digestsOf(dir);
}

/**
 * Joins the neighbours of parts that follow one another, each with `k` to a query.
 * @throws UserError where a part has none, or where they are not those that its result was counted from
 */
export async function joinNeighbours(
  dir: string,
  parts: readonly NeighbourPart[],
  k: number,
  force?: boolean,
): Promise<NeighbourDigests> {
  for (const part of parts) await checkPart(part);
  await writeFolderAtomic(dir, { force, kind: NEIGHBOURS_FOLDER }, async (folder) => {
    for (const name of NAMES) {
      const writer = await createNpyWriter(
        join(folder, name),
        FILES[name],
        [k],
        parts.reduce((sum, { queries }) => sum + queries, 0),
      );
      try {
        for (const part of parts) {
          const source = await openNpyRows(join(part.folder!, name));
          for (let first = 0; first < part.queries; first += PIECE_ROWS) {
            await writer.append(await source.rows(first, Math.min(PIECE_ROWS, part.queries - first)));
          }
          await source.close();
        }
        await writer.close();
      } catch (error) {
        await writer.abort();
        throw error;
      }
    }
  });
  return digestsOf(dir);
}

async function checkPart({ path, folder, digests }: NeighbourPart): Promise<void> {
  if (!folder || !digests)
    throw new UserError(`${path} was made without --neighbours-out`, {
      hint: 'make all parts with it, each with a folder of its own',
    });
  const elsewhere = 'paths are as they were given: run --merge where the parts were made';
  for (const name of NAMES) {
    const file = join(folder, name);
    if (!(await exists(file))) throw expected(`the neighbours of ${path}`, file, 'no such file', elsewhere);
    const digest = await sha256File(file);
    if (digest === digests[name]) continue;
    throw expected(
      `the neighbours of ${path} (digest ${String(digests[name]).slice(0, 12)})`,
      file,
      `digest ${digest.slice(0, 12)}`,
      'the folder was written anew, by another part perhaps: make this part again',
    );
  }
}

async function digestsOf(dir: string): Promise<NeighbourDigests> {
  const entries = await Promise.all(NAMES.map(async (name) => [name, await sha256File(join(dir, name))] as const));
  return Object.fromEntries(entries) as NeighbourDigests;
}
