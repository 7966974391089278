/** The members of a zip file of any size, by its central directory; the large form (zip64) that NumPy uses included. */
import { inflateSync } from 'fflate';
import { expected, type UserError } from '../../errors.js';
import { crc32 } from '../crc32.js';
import { allocate, type InputFile, readExactly } from '../input.js';

export interface ZipMember {
  name: string;
  /** 0 stored, 8 deflated. */
  method: number;
  crc: number;
  /** Bytes in the file, and unpacked. */
  packed: number;
  size: number;
  /** Where its own header begins. */
  offset: number;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
/** In place of a number that stands in the zip64 record instead. */
const ELSEWHERE = 0xffffffff;
/** A directory that is larger belongs to no file of arrays. */
const LARGEST_DIRECTORY = 1 << 26;

/** Reads the directory at the end of the file and nothing else. */
export async function readZipDirectory({ handle, size }: InputFile, path: string): Promise<ZipMember[]> {
  const read = async (position: number, length: number) => {
    if (position < 0 || length > LARGEST_DIRECTORY || position + length > size)
      throw damaged(path, 'a directory that lies outside the file');
    const bytes = Buffer.alloc(length);
    await readExactly(handle, bytes, position, path);
    return bytes;
  };
  const tailStart = Math.max(0, size - END_BYTES - 0xffff - LOCATOR_BYTES);
  const tail = await read(tailStart, size - tailStart);
  let end = tail.length - END_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== END) end--;
  if (end < 0) throw damaged(path, 'no central directory at its end');
  let [length, start] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (start === ELSEWHERE || length === ELSEWHERE) {
    const locator = end - LOCATOR_BYTES;
    if (locator < 0 || tail.readUInt32LE(locator) !== LOCATOR64) throw damaged(path, 'no zip64 record');
    const record = await read(large(tail, locator + 8), 56);
    if (record.readUInt32LE(0) !== END64) throw damaged(path, 'no zip64 record');
    [length, start] = [large(record, 40), large(record, 48)];
  }
  return parseDirectory(await read(start, length), path);
}

/** Where a member's bytes begin. */
export async function memberStart(
  { handle, size }: InputFile,
  { name, offset, packed }: ZipMember,
  path: string,
): Promise<number> {
  const header = Buffer.alloc(30);
  if (offset + header.length > size) throw damaged(`${path} (${name})`, `no member at byte ${offset}`);
  await readExactly(handle, header, offset, path);
  if (header.readUInt32LE(0) !== LOCAL) throw damaged(`${path} (${name})`, `no member at byte ${offset}`);
  const start = offset + header.length + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + packed > size) throw damaged(`${path} (${name})`, `${size - start} of ${packed} bytes`);
  return start;
}

/** Deflate cannot shrink by more than this factor, so a member that claims more lies. */
const LARGEST_RATIO = 1032;

/** The whole of a member, unpacked; its size and checksum are compared. */
export async function readMember(file: InputFile, member: ZipMember, path: string): Promise<Uint8Array> {
  const { method, crc, packed, size } = member;
  const where = `${path} (${member.name})`;
  if (method !== 0 && method !== 8) throw expected('a stored or deflated member', where, `method ${method}`);
  const fits = method === 0 ? size === packed : size <= packed * LARGEST_RATIO + 1024;
  if (!fits)
    throw expected('sizes that fit the file', where, `${packed} packed, ${size} unpacked`, 'the file is damaged');
  const start = await memberStart(file, member, path);
  const content = new Uint8Array(allocate(packed, where));
  await readExactly(file.handle, content, start, path);
  const unpacked = method === 0 ? content : inflated(content, size, where);
  if (unpacked.length !== size) throw expected(`${size} bytes`, where, `${unpacked.length}`, 'the file is damaged');
  const found = crc32(unpacked);
  if (found !== crc)
    throw expected(`the checksum ${crc.toString(16)}`, where, found.toString(16), 'the file is damaged');
  return unpacked;
}

function inflated(content: Uint8Array, size: number, where: string): Uint8Array {
  try {
    return inflateSync(content, { out: new Uint8Array(allocate(size, where)) });
  } catch (error) {
    if ((error as Error).name === 'UserError') throw error;
    throw damaged(where, (error as Error).message);
  }
}

function parseDirectory(bytes: Buffer, path: string): ZipMember[] {
  const members: ZipMember[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== ENTRY) throw damaged(path, 'a directory that breaks off');
    const [nameLength, extraLength] = [bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30)];
    const nameEnd = at + 46 + nameLength;
    const extra = largeNumbers(bytes.subarray(nameEnd, nameEnd + extraLength));
    const number = (place: number) => {
      const value = bytes.readUInt32LE(at + place);
      if (value !== ELSEWHERE) return value;
      const found = extra.shift();
      if (found === undefined) throw damaged(path, 'a size that stands nowhere');
      return found;
    };
    // The extra field holds those that are missing in just this order.
    const [size, packed, offset] = [number(24), number(20), number(42)];
    const name = bytes.toString('utf8', at + 46, nameEnd);
    members.push({ name, method: bytes.readUInt16LE(at + 10), crc: bytes.readUInt32LE(at + 16), packed, size, offset });
    at = nameEnd + extraLength + bytes.readUInt16LE(at + 32);
  }
  return members;
}

/** The 64-bit numbers of an entry's zip64 field. */
function largeNumbers(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    const count = Math.floor(Math.min(extra.readUInt16LE(at + 2), extra.length - at - 4) / 8);
    return Array.from({ length: count }, (_, i) => large(extra, at + 4 + 8 * i));
  }
  return [];
}

function large(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

function damaged(path: string, found: string): UserError {
  return expected('a sound zip file', path, found, 'the file is damaged or cut short');
}
