/** Writes an .npy file row by row; it appears under its name when it is complete. */
import { rename, rm } from 'node:fs/promises';
import { type ArrayData, bytesOf, type Dtype, dtypeOf, sizeOf } from '../arrays.js';
import { openNew } from '../atomic.js';
import { writeFully } from '../input.js';
import { temporaryName } from '../temporary-name.js';
import { npyHeader } from './npy-header.js';

export interface NpyWriter {
  /** Rows written so far. */
  readonly rows: number;
  /** Adds whole rows. Calls must not overlap: await each. */
  append(data: ArrayData): Promise<void>;
  /** Completes the header, syncs, and moves the file to its name. */
  close(): Promise<void>;
  /** Drops what was written. */
  abort(): Promise<void>;
}

/**
 * Starts an .npy file of rows of `rowShape`. The count of rows goes into the header on closing; with `rows` given,
 * closing with any other count is an error. An existing file is replaced.
 */
export async function createNpyWriter(
  path: string,
  dtype: Dtype,
  rowShape: readonly number[],
  rows?: number,
): Promise<NpyWriter> {
  const rowLength = sizeOf(rowShape);
  const temporary = temporaryName(path);
  const handle = await openNew(temporary, path);
  // The header is written twice, so its first form leaves room for any count.
  const headerBytes = npyHeader(dtype, [Number.MAX_SAFE_INTEGER, ...rowShape]).length;
  let count = 0;
  let position = headerBytes;
  const abort = async () => {
    await handle.close().catch(() => {});
    await rm(temporary, { force: true });
  };
  await writeFully(handle, npyHeader(dtype, [0, ...rowShape], headerBytes), 0);
  return {
    get rows() {
      return count;
    },
    append: async (data) => {
      if (dtypeOf(data) !== dtype || data.length % rowLength !== 0) {
        throw new RangeError(`${path} takes ${dtype} rows of ${rowLength}, got ${data.length} of ${dtypeOf(data)}`);
      }
      await writeFully(handle, bytesOf(data), position);
      position += data.byteLength;
      count += data.length / rowLength;
    },
    close: async () => {
      try {
        if (rows !== undefined && rows !== count)
          throw new RangeError(`${path}: ${rows} rows promised, ${count} written`);
        await writeFully(handle, npyHeader(dtype, [count, ...rowShape], headerBytes), 0);
        await handle.sync();
        await handle.close();
        await rename(temporary, path);
      } catch (error) {
        await abort();
        throw error;
      }
    },
    abort,
  };
}
