/** A zip file of stored members of any size, written as their bytes come. */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { writeFully } from '../input.js';

export interface ZipWriter {
  /** Adds a member of exactly `size` bytes. Calls must not overlap: await each. */
  add(name: string, size: number, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Writes the directory. */
  finish(): Promise<void>;
}

const VERSION = 45;
/** Days begin on 1 January 1980; files carry no other time, so that equal content has equal bytes. */
const FIRST_DAY = 0x21;
const LARGE = 0xffffffff;

/** Numbers that may need 64 bits always stand in zip64 fields, as NumPy has them in a member's own header. */
export function createZipWriter(handle: FileHandle): ZipWriter {
  const directory: Buffer[] = [];
  let position = 0;
  const write = async (bytes: Uint8Array) => {
    await writeFully(handle, bytes, position);
    position += bytes.length;
  };
  return {
    async add(name, size, content) {
      const offset = position;
      await write(localHeader(name, size, 0));
      let crc = 0;
      let length = 0;
      for await (const chunk of content) {
        crc = crc32(chunk, crc);
        length += chunk.length;
        await write(chunk);
      }
      if (length !== size) throw new RangeError(`${name}: ${size} bytes were announced, ${length} came`);
      await writeFully(handle, localHeader(name, size, crc), offset);
      directory.push(directoryEntry(name, size, crc, offset));
    },
    async finish() {
      const start = position;
      for (const entry of directory) await write(entry);
      await write(endRecords(directory.length, start, position - start));
    },
  };
}

function localHeader(name: string, size: number, crc: number): Buffer {
  const bytes = Buffer.from(name);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  common(header, 4, crc);
  header.writeUInt16LE(bytes.length, 26);
  const sizes = field64([size, size]);
  header.writeUInt16LE(sizes.length, 28);
  return Buffer.concat([header, bytes, sizes]);
}

function directoryEntry(name: string, size: number, crc: number, offset: number): Buffer {
  const bytes = Buffer.from(name);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(VERSION, 4);
  common(header, 6, crc);
  header.writeUInt16LE(bytes.length, 28);
  header.writeUInt32LE(LARGE, 42);
  const numbers = field64([size, size, offset]);
  header.writeUInt16LE(numbers.length, 30);
  return Buffer.concat([header, bytes, numbers]);
}

/** Version, flags, method, time, date, checksum and sizes, which both headers have in this order. */
function common(header: Buffer, at: number, crc: number): void {
  header.writeUInt16LE(VERSION, at);
  header.writeUInt16LE(FIRST_DAY, at + 8);
  header.writeUInt32LE(crc, at + 10);
  header.writeUInt32LE(LARGE, at + 14);
  header.writeUInt32LE(LARGE, at + 18);
}

/** An extra field of 64-bit numbers. */
function field64(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * numbers.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * numbers.length, 2);
  numbers.forEach((number, i) => field.writeBigUInt64LE(BigInt(number), 4 + 8 * i));
  return field;
}

function endRecords(count: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(56 + 20 + 22);
  bytes.writeUInt32LE(0x06064b50, 0);
  bytes.writeBigUInt64LE(44n, 4);
  bytes.writeUInt16LE(VERSION, 12);
  bytes.writeUInt16LE(VERSION, 14);
  [count, count, length, start].forEach((number, i) => bytes.writeBigUInt64LE(BigInt(number), 24 + 8 * i));
  bytes.writeUInt32LE(0x07064b50, 56);
  bytes.writeBigUInt64LE(BigInt(start + length), 64);
  bytes.writeUInt32LE(1, 72);
  bytes.writeUInt32LE(0x06054b50, 76);
  bytes.writeUInt16LE(Math.min(count, 0xffff), 84);
  bytes.writeUInt16LE(Math.min(count, 0xffff), 86);
  bytes.writeUInt32LE(LARGE, 88);
  bytes.writeUInt32LE(LARGE, 92);
  return bytes;
}
