/** Rows that are kept in a file without a name until the process ends, so that memory holds only those in use. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf } from '../../formats/arrays.js';
import { readExactly, writeFully } from '../../formats/input.js';
import { noRoom } from '../../formats/no-room.js';
import { temporaryName } from '../../formats/temporary-name.js';
import type { Rows } from '../../metrics/rows.js';

export interface Spill {
  /** Adds whole rows [n, width]. Calls must not overlap: await each. */
  add(rows: Float32Array): Promise<void>;
  /** The rows added so far. */
  rows(): Rows;
  close(): Promise<void>;
}

/** `folder` is one for temporary files. */
export async function createSpill(folder: string, width: number): Promise<Spill> {
  const path = temporaryName(join(folder, 'bigbigan-features'));
  const handle = await open(path, 'wx+').catch((error: unknown) => {
    throw noRoom(error, folder);
  });
  // Without a name it is gone as soon as the process is, however that ends.
  await rm(path);
  let count = 0;
  const rowBytes = 4 * width;
  return {
    add: async (rows) => {
      await writeFully(handle, bytesOf(rows), count * rowBytes).catch((error: unknown) => {
        throw noRoom(error, folder);
      });
      count += rows.length / width;
    },
    rows: () => ({
      rows: count,
      width,
      read: async (first, wanted) => {
        const data = new Float32Array(wanted * width);
        await readExactly(handle, bytesOf(data), first * rowBytes, 'the temporary file of features');
        return data;
      },
    }),
    close: () => handle.close(),
  };
}
