/**
 * The members of a zip file, by its central directory, zip64 included. yauzl reads the file; sizes that cannot be are
 * refused before memory is taken, and every member's checksum is compared.
 */
import { crc32 } from 'node:zlib';
import { type Entry, openPromise } from 'yauzl';
import { expected, UserError } from '../../errors.js';
import { allocate } from '../input.js';

export interface ZipMember {
  name: string;
  /** Bytes in the file, and unpacked. */
  packed: number;
  size: number;
  entry: Entry;
}

export interface ZipArchive extends AsyncDisposable {
  members: ZipMember[];
  /** The whole of a member, unpacked. */
  read(member: ZipMember): Promise<Uint8Array>;
  /** The same as it comes; size and checksum are compared at its end. */
  stream(member: ZipMember): AsyncGenerator<Uint8Array>;
}

/** Deflate cannot shrink by more than this factor, so a member that claims more lies. */
const LARGEST_RATIO = 1032;

/** Reads the directory at the end of the file and nothing else. @throws UserError for what is no sound zip file */
export async function openZipArchive(path: string): Promise<ZipArchive> {
  const zip = await sound(path, () => openPromise(path, { autoClose: false }));
  const members: ZipMember[] = [];
  try {
    await sound(path, async () => {
      for await (const entry of zip.eachEntry()) {
        const { fileName: name, compressedSize: packed, uncompressedSize: size } = entry;
        members.push({ name, packed, size, entry });
      }
    });
  } catch (error) {
    zip.close();
    throw error;
  }
  async function* stream({ name, packed, size, entry }: ZipMember): AsyncGenerator<Uint8Array> {
    const where = `${path} (${name})`;
    const { compressionMethod: method } = entry;
    if (method !== 0 && method !== 8) throw expected('a stored or deflated member', where, `method ${method}`);
    const fits = method === 0 ? size === packed : size <= packed * LARGEST_RATIO + 1024;
    if (!fits) throw expected('sizes that fit the file', where, `${packed} packed, ${size} unpacked`, DAMAGED);
    const bytes = await sound(where, () => zip.openReadStreamPromise(entry));
    let length = 0;
    let found = 0;
    try {
      for await (const chunk of bytes as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > size) throw expected(`${size} bytes`, where, 'more', DAMAGED);
        found = crc32(chunk, found);
        yield chunk;
      }
    } catch (error) {
      throw error instanceof UserError ? error : unsound(where, error);
    } finally {
      bytes.destroy();
    }
    if (length !== size) throw expected(`${size} bytes`, where, `${length}`, DAMAGED);
    const wanted = entry.crc32;
    if (found !== wanted) throw expected(`the checksum ${wanted.toString(16)}`, where, found.toString(16), DAMAGED);
  }
  return {
    members,
    stream,
    async read(member) {
      let unpacked: Uint8Array | undefined;
      let at = 0;
      for await (const part of stream(member)) {
        // Only now: what the member claims has been checked against the file.
        unpacked ??= new Uint8Array(allocate(member.size, `${path} (${member.name})`));
        unpacked.set(part, at);
        at += part.length;
      }
      return unpacked ?? new Uint8Array();
    },
    async [Symbol.asyncDispose]() {
      zip.close();
    },
  };
}

const DAMAGED = 'the file is damaged';

async function sound<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unsound(where, error);
  }
}

function unsound(where: string, error: unknown): UserError {
  return expected('a sound zip file', where, (error as Error).message, 'the file is damaged or cut short');
}
