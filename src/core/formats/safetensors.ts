/**
 * The safetensors format: u64 length of a JSON header, the header (name to type, shape and byte range), then the
 * elements, little-endian in C order, without holes. https://github.com/huggingface/safetensors
 */
import { expected } from '../errors.js';
import { bytesOf, checkShape, dtypeOf, itemSize, sizeOf, view, type ArrayData, type Dtype, type NamedArray } from './arrays.js';
import { writeAtomic } from './atomic.js';
import { allocate, readExactly, withInput, writeFully, type InputFile } from './input.js';

/** The format's own limit. */
const LONGEST_HEADER = 100_000_000;

const names: Record<Dtype, string> = { uint8: 'U8', int32: 'I32', int64: 'I64', float32: 'F32', float64: 'F64' };
const dtypes = new Map(Object.entries(names).map(([dtype, name]) => [name, dtype as Dtype]));

export interface TensorEntry {
  dtype: Dtype;
  shape: number[];
  /** Absolute position in the file. */
  offset: number;
}

export interface SafetensorsHeader {
  tensors: Map<string, TensorEntry>;
  metadata: Record<string, string>;
}

export interface Safetensors {
  tensors: Map<string, NamedArray>;
  metadata: Record<string, string>;
}

/** Reads the header only: names, types, shapes and metadata, checked against the file's length. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withInput(path, 'a safetensors file', (file) => readHeader(file, path));
}

/** Reads all tensors, or those that `select` accepts. */
export async function readSafetensors(path: string, select?: (name: string) => boolean): Promise<Safetensors> {
  return withInput(path, 'a safetensors file', async (file) => {
    const header = await readHeader(file, path);
    const tensors = new Map<string, NamedArray>();
    for (const [name, { dtype, shape, offset }] of header.tensors) {
      if (select && !select(name)) continue;
      const buffer = allocate(sizeOf(shape) * itemSize[dtype], path);
      await readExactly(file.handle, new Uint8Array(buffer), offset, path);
      tensors.set(name, { dtype, shape, data: view(dtype, buffer, 0, sizeOf(shape)) });
    }
    return { tensors, metadata: header.metadata };
  });
}

/**
 * Writes tensors and a map of strings, atomically. Types follow from the arrays. Wider types come first in the file
 * and the header is padded, so that every tensor is aligned to its element size.
 */
export async function writeSafetensors(
  path: string,
  tensors: Map<string, { shape: readonly number[]; data: ArrayData }>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const ordered = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let end = 0;
  for (const [name, { shape, data }] of ordered) {
    checkShape(shape, data);
    entries.push([name, { dtype: names[dtypeOf(data)], shape, data_offsets: [end, (end += data.byteLength)] }]);
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  json.copy(header, 8);
  await writeAtomic(path, async (handle) => {
    await writeFully(handle, header, 0);
    let position = header.length;
    for (const [, { data }] of ordered) {
      await writeFully(handle, bytesOf(data), position);
      position += data.byteLength;
    }
  });
}

async function readHeader({ handle, size }: InputFile, path: string): Promise<SafetensorsHeader> {
  if (size < 10) throw expected('a safetensors file', path, `${size} bytes`, 'the file is cut short');
  const prefix = Buffer.alloc(8);
  await readExactly(handle, prefix, 0, path);
  const length = prefix.readBigUInt64LE();
  if (length > BigInt(Math.min(LONGEST_HEADER, size - 8))) {
    throw expected(
      `a safetensors header of at most ${Math.min(LONGEST_HEADER, size - 8)} bytes`,
      path,
      `${length}`,
      'the file is damaged, cut short or of another format',
    );
  }
  const bytes = Buffer.alloc(Number(length));
  await readExactly(handle, bytes, 8, path);
  return checkEntries(parseJson(bytes, path), 8 + bytes.length, size, path);
}

function parseJson(bytes: Buffer, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below with the bytes that were found.
  }
  throw expected('a JSON object as header', path, JSON.stringify(bytes.toString('latin1', 0, 40)), 'the file is damaged');
}

/** Every entry's range must match its type and shape, and together they must fill the file from end to end. */
function checkEntries(json: Record<string, unknown>, dataOffset: number, size: number, path: string): SafetensorsHeader {
  const { __metadata__: metadata = {}, ...entries } = json;
  if (typeof metadata !== 'object' || !Object.values(metadata as object).every((value) => typeof value === 'string')) {
    throw expected('a map of strings', `__metadata__ in ${path}`, JSON.stringify(metadata).slice(0, 80));
  }
  const tensors = new Map<string, TensorEntry>();
  const ranges: [number, number, string][] = [];
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, begin, end } = checkEntry(name, entry, path);
    tensors.set(name, { dtype, shape, offset: dataOffset + begin });
    ranges.push([begin, end, name]);
  }
  ranges.sort(([a, aEnd], [b, bEnd]) => a - b || aEnd - bEnd);
  let position = 0;
  for (const [begin, end, name] of ranges) {
    if (begin !== position) throw expected(`byte ${position}`, `the start of ${name} in ${path}`, `${begin}`, 'the file is damaged');
    position = end;
  }
  if (dataOffset + position !== size) {
    const hint = dataOffset + position > size ? 'the file is cut short' : 'the file has bytes after its tensors';
    throw expected(`${dataOffset + position} bytes as its header says`, path, `${size} bytes`, hint);
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

function checkEntry(name: string, entry: unknown, path: string) {
  const { dtype: code, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const extents = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (typeof code !== 'string' || !extents(shape) || !extents(offsets) || offsets.length !== 2) {
    throw expected('dtype, shape and data_offsets', `${name} in ${path}`, JSON.stringify(entry).slice(0, 80));
  }
  const dtype = dtypes.get(code);
  if (!dtype) throw expected('one of F32, F64, I32, I64, U8', `the type of ${name} in ${path}`, code, 'convert it first');
  const [begin, end] = offsets;
  if (end - begin !== sizeOf(shape) * itemSize[dtype]) {
    throw expected(`${sizeOf(shape) * itemSize[dtype]} bytes (${code} [${shape}])`, `${name} in ${path}`, `${end - begin}`);
  }
  return { dtype, shape, begin, end };
}
