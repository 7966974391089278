/** The members of a zip file that is in memory: found by its central directory, checked by size and CRC-32. */
import { inflateSync } from 'fflate';
import { expected, type UserError } from '../errors.js';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
/** The end record is 22 bytes and a comment of up to 65,535. */
const LONGEST_END = 22 + 0xffff;
/** Deflate cannot shrink by more than this factor, so an entry that claims more lies. */
const LARGEST_RATIO = 1032;

interface Entry {
  name: string;
  method: number;
  crc: number;
  packed: number;
  size: number;
  offset: number;
}

/** The unpacked members whose name `select` accepts, in the order of the directory; `path` names the file in errors. */
export function unzip(bytes: Uint8Array, path: string, select: (name: string) => boolean): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const members = new Map<string, Uint8Array>();
  for (const entry of readDirectory(bytes, view, path)) {
    if (select(entry.name)) members.set(entry.name, unpack(bytes, view, entry, path));
  }
  return members;
}

function readDirectory(bytes: Uint8Array, view: DataView, path: string): Entry[] {
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== END) end = end > bytes.length - LONGEST_END ? end - 1 : -1;
  if (end < 0) throw damaged(path, 'no central directory at its end');
  const entries: Entry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + 46 > end || view.getUint32(at, true) !== ENTRY) throw damaged(path, `no directory entry at byte ${at}`);
    const nameLength = view.getUint16(at + 28, true);
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

function unpack(bytes: Uint8Array, view: DataView, { name, method, crc, packed, size, offset }: Entry, path: string): Uint8Array {
  const member = `${path} (${name})`;
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== LOCAL) throw damaged(member, `no member at byte ${offset}`);
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const fits = start + packed <= bytes.length && (method === STORED ? size === packed : size <= packed * LARGEST_RATIO + 1024);
  if (!fits) throw expected('sizes that fit the file', member, `${packed} packed, ${size} unpacked`, 'the file is damaged');
  if (method !== STORED && method !== DEFLATED) throw expected('a stored or deflated member', member, `method ${method}`);
  const content = bytes.subarray(start, start + packed);
  const unpacked = method === STORED ? content : inflate(content, size, member);
  if (unpacked.length !== size) throw expected(`${size} bytes`, member, `${unpacked.length}`, 'the file is damaged');
  if (crc32(unpacked) !== crc) throw expected(`the checksum ${crc.toString(16)}`, member, crc32(unpacked).toString(16), 'the file is damaged');
  return unpacked;
}

function inflate(content: Uint8Array, size: number, member: string): Uint8Array {
  try {
    return inflateSync(content, { out: new Uint8Array(size) });
  } catch (error) {
    throw damaged(member, (error as Error).message);
  }
}

function damaged(path: string, found: string): UserError {
  return expected('a sound zip file', path, found, 'the file is damaged or cut short');
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The CRC-32 of zip, gzip and PNG; `before` is that of the bytes before these. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
