/** Files that may be gzipped, which their first two bytes tell, whatever their name. */
import { createReadStream } from 'node:fs';
import { promisify } from 'node:util';
import { createGunzip, gunzip } from 'node:zlib';
import { expected } from '../../errors.js';
import { allocate, readExactly, withInput } from '../../formats/input.js';

/** The most that is unpacked in memory. */
const LARGEST_UNPACKED = 2 ** 31;

/** The whole file, unpacked. */
export async function readUnpacked(path: string): Promise<Uint8Array> {
  const bytes = await withInput(path, 'a file', async ({ handle, size }) => {
    const all = new Uint8Array(allocate(size, path));
    await readExactly(handle, all, 0, path);
    return all;
  });
  if (!isGzip(bytes)) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: LARGEST_UNPACKED });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const found = code === 'ERR_BUFFER_TOO_LARGE' ? `more than ${LARGEST_UNPACKED} bytes when unpacked` : message;
    throw expected('a sound gzip file', path, found, 'unpack it with gunzip to see what is wrong');
  }
}

/** The file as a stream of unpacked bytes. */
export async function streamUnpacked(path: string) {
  const { head } = await peek(path);
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  if (!isGzip(head)) return file;
  const unpacked = createGunzip();
  file.on('error', (error) => unpacked.destroy(error));
  unpacked.on('close', () => file.destroy());
  return file.pipe(unpacked);
}

export interface Peek {
  /** The first unpacked bytes, up to 16. */
  start: Uint8Array;
  /** The first bytes as they are. */
  head: Uint8Array;
  /** Length when unpacked; of a gzip file what its last four bytes state (modulo 2^32). */
  size: number;
}

/** Recognises a file by its beginning and its size. */
export async function peek(path: string): Promise<Peek> {
  return withInput(path, 'a file', async ({ handle, size }) => {
    const head = new Uint8Array(Math.min(size, 4096));
    await readExactly(handle, head, 0, path);
    if (!isGzip(head) || size < 18) return { start: head.slice(0, 16), head, size };
    const trailer = Buffer.alloc(4);
    await readExactly(handle, new Uint8Array(trailer.buffer, trailer.byteOffset, 4), size - 4, path);
    return { start: await firstBytes(head), head, size: trailer.readUInt32LE() };
  });
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The first 16 bytes of a gzip file of which only the beginning is given. */
function firstBytes(head: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const stream = createGunzip();
    stream.on('data', (chunk: Uint8Array) => {
      resolve(chunk.slice(0, 16));
      stream.destroy();
    });
    stream.on('error', () => resolve(new Uint8Array(0)));
    stream.on('end', () => resolve(new Uint8Array(0)));
    stream.end(head);
  });
}
