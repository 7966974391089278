/**
 * The safetensors format: u64 length of a JSON header, the header (name to type, shape and byte range), then the
 * elements, little-endian in C order, without holes. https://github.com/huggingface/safetensors
 *
 * The format has no checksum. Files written here carry one in their metadata: `file_sha256` is the digest of the whole
 * file in which these 64 characters are zeros. Where it is found it is checked, by whatever reads a tensor.
 */
import { createHash, type Hash } from 'node:crypto';
import { type ArrayData, bytesOf, checkShape, dtypeOf, itemSize, type NamedArray, sizeOf, view } from './arrays.js';
import { writeAtomic } from './atomic.js';
import { allocate, type InputFile, readExactly, withInput, writeFully } from './input.js';
import {
  DIGEST,
  damaged,
  digestPosition,
  NO_DIGEST,
  readHeader,
  type SafetensorsHeader,
  typeNames,
} from './safetensors-header.js';

/** Bytes that are read at a time where a tensor is only hashed. */
const PIECE = 1 << 22;

export interface Safetensors {
  tensors: Map<string, NamedArray>;
  metadata: Record<string, string>;
  /** As recorded in the file, and found to be right. */
  digest?: string;
}

/**
 * Reads the header only: names, types, shapes and metadata, checked against the file's length, not against the digest.
 */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withInput(path, 'a safetensors file', async (file) => (await readHeader(file, path)).header);
}

/**
 * Reads all tensors, or those that `select` accepts; all bytes are read for the digest where the file has one.
 * @throws DamagedFile
 */
export async function readSafetensors(path: string, select?: (name: string) => boolean): Promise<Safetensors> {
  return withInput(path, 'a safetensors file', async (file) => {
    const { header, bytes } = await readHeader(file, path);
    const hash =
      header.digest === undefined ? undefined : createHash('sha256').update(withoutDigest(bytes, header.digest));
    const tensors = new Map<string, NamedArray>();
    for (const [name, { dtype, shape, offset }] of [...header.tensors].sort(([, a], [, b]) => a.offset - b.offset)) {
      const length = sizeOf(shape) * itemSize[dtype];
      if (select && !select(name)) {
        if (hash) await hashRange(file, hash, offset, length, path);
        continue;
      }
      const buffer = allocate(length, path);
      const read = new Uint8Array(buffer);
      await readExactly(file.handle, read, offset, path);
      hash?.update(read);
      tensors.set(name, { dtype, shape, data: view(dtype, buffer, 0, sizeOf(shape)) });
    }
    const found = hash?.digest('hex');
    if (found !== header.digest) {
      throw damaged(
        `the SHA-256 ${header.digest!.slice(0, 12)}… as recorded in it`,
        path,
        `${found!.slice(0, 12)}…`,
        'the file is damaged, or another program has changed it',
      );
    }
    return { tensors, metadata: header.metadata, digest: header.digest };
  });
}

async function hashRange(
  { handle }: InputFile,
  hash: Hash,
  offset: number,
  length: number,
  path: string,
): Promise<void> {
  const piece = new Uint8Array(Math.min(PIECE, length));
  for (let done = 0; done < length; done += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, length - done));
    await readExactly(handle, part, offset + done, path);
    hash.update(part);
  }
}

/** A copy of the file's start, with zeros for the digest. */
function withoutDigest(start: Buffer, digest: string): Buffer {
  const copy = Buffer.from(start);
  copy.write(NO_DIGEST, digestPosition(start, digest), 'latin1');
  return copy;
}

/**
 * Writes tensors and a map of strings, atomically and with a digest. Types follow from the arrays. Wider types come
 * first in the file and the header is padded, so that every tensor is aligned to its element size.
 */
export async function writeSafetensors(
  path: string,
  tensors: Map<string, { shape: readonly number[]; data: ArrayData }>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const ordered = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const entries: [string, unknown][] = [['__metadata__', { [DIGEST]: NO_DIGEST, ...metadata }]];
  let end = 0;
  for (const [name, { shape, data }] of ordered) {
    checkShape(shape, data);
    entries.push([name, { dtype: typeNames[dtypeOf(data)], shape, data_offsets: [end, (end += data.byteLength)] }]);
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  json.copy(header, 8);
  await writeAtomic(path, async (handle) => {
    const hash = createHash('sha256').update(header);
    let position = header.length;
    for (const [, { data }] of ordered) {
      const bytes = bytesOf(data);
      hash.update(bytes);
      await writeFully(handle, bytes, position);
      position += bytes.length;
    }
    header.write(hash.digest('hex'), digestPosition(header, NO_DIGEST), 'latin1');
    await writeFully(handle, header, 0);
  });
}
