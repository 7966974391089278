/** Opening and reading files that may be missing, short or larger than one read call can take. */
import { type FileHandle, open } from 'node:fs/promises';
import { expected, UserError } from '../errors.js';

/** One read call takes less than 2 GiB. */
const LARGEST_READ = 1 << 30;
/** A larger file is none that is meant to be held in memory whole. */
const LARGEST_WHOLE = 2 ** 31;

export interface InputFile {
  handle: FileHandle;
  size: number;
}

/** Opens a regular file for reading; `kind` is what the user should have named, such as "an .npy file". */
export async function openInput(path: string, kind: string): Promise<InputFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found = code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file' : (code ?? String(error));
    throw expected(kind, path, found, 'check the path');
  }
  const status = await handle.stat();
  if (!status.isFile()) {
    await handle.close();
    throw expected(
      kind,
      path,
      status.isDirectory() ? 'a folder' : 'something that is no regular file',
      'check the path',
    );
  }
  return { handle, size: status.size };
}

/** Opens a file, hands it to `use` and closes it whatever happens. */
export async function withInput<T>(path: string, kind: string, use: (file: InputFile) => Promise<T>): Promise<T> {
  const file = await openInput(path, kind);
  try {
    return await use(file);
  } finally {
    await file.handle.close();
  }
}

/** Fills `target` from `position` on; a file that ends before is an error naming `path`. */
export async function readExactly(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
  path: string,
): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const length = Math.min(target.length - done, LARGEST_READ);
    const { bytesRead } = await handle.read(target, done, length, position + done);
    if (bytesRead === 0) {
      throw expected(
        `${position + target.length} bytes`,
        path,
        `an end after ${position + done}`,
        'the file is cut short',
      );
    }
    done += bytesRead;
  }
}

/** All bytes of a file. */
export async function readWhole({ handle, size }: InputFile, path: string): Promise<Uint8Array> {
  if (size > LARGEST_WHOLE) throw expected(`a file of at most ${LARGEST_WHOLE} bytes`, path, `${size}`);
  const bytes = new Uint8Array(allocate(size, path));
  await readExactly(handle, bytes, 0, path);
  return bytes;
}

/** Writes all of `bytes` at `position`. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(bytes.length - done, LARGEST_READ);
    done += (await handle.write(bytes, done, length, position + done)).bytesWritten;
  }
}

/** A buffer of `bytes` bytes. @throws UserError that names what memory is missing for */
export function allocate(bytes: number, path: string): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch {
    throw new UserError(`${path} needs ${bytes} bytes in one piece, which is more than can be had`, {
      hint: 'use a smaller file or split it',
    });
  }
}
