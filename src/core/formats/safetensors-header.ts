/** The start of a safetensors file: what is in it, checked against the file's length before anything is allocated. */
import { DamagedFile, expected } from '../errors.js';
import { type Dtype, itemSize, sizeOf } from './arrays.js';
import { type InputFile, readExactly } from './input.js';

/** The format's own limit. */
const LONGEST_HEADER = 100_000_000;

/** The metadata's key for the digest. */
export const DIGEST = 'file_sha256';
/** What stands in its place while the digest is taken. */
export const NO_DIGEST = '0'.repeat(64);

export const typeNames: Record<Dtype, string> = {
  uint8: 'U8',
  int32: 'I32',
  int64: 'I64',
  float32: 'F32',
  float64: 'F64',
};
const dtypes = new Map(Object.entries(typeNames).map(([dtype, name]) => [name, dtype as Dtype]));

export interface TensorEntry {
  dtype: Dtype;
  shape: number[];
  /** Absolute position in the file. */
  offset: number;
}

export interface SafetensorsHeader {
  tensors: Map<string, TensorEntry>;
  /** Without the digest. */
  metadata: Record<string, string>;
  /** As recorded in the file. */
  digest?: string;
}

/** The header, and the bytes of the file up to its end. */
export async function readHeader(
  { handle, size }: InputFile,
  path: string,
): Promise<{ header: SafetensorsHeader; bytes: Buffer }> {
  if (size < 10) throw damaged('a safetensors file', path, `${size} bytes`, 'the file is cut short');
  const prefix = Buffer.alloc(8);
  await readExactly(handle, prefix, 0, path);
  const length = prefix.readBigUInt64LE();
  if (length > BigInt(Math.min(LONGEST_HEADER, size - 8))) {
    const found = `one whose header would have ${length} bytes`;
    throw damaged('a safetensors file', path, found, 'the file is damaged, cut short or of another format');
  }
  const bytes = Buffer.alloc(8 + Number(length));
  await readExactly(handle, bytes, 0, path);
  const header = checkEntries(parseJson(bytes.subarray(8), path), bytes.length, size, path);
  if (
    header.digest !== undefined &&
    (!/^[0-9a-f]{64}$/.test(header.digest) || !bytes.includes(`"${DIGEST}":"${header.digest}"`))
  ) {
    throw damaged(
      '64 hexadecimal digits',
      `${DIGEST} in ${path}`,
      JSON.stringify(header.digest).slice(0, 80),
      'the file is damaged',
    );
  }
  return { header, bytes };
}

/** Where the digest's characters are: quotes within other strings are escaped, so that this is found nowhere else. */
export function digestPosition(start: Buffer, digest: string): number {
  const key = `"${DIGEST}":"`;
  return start.indexOf(key + digest) + key.length;
}

function parseJson(bytes: Buffer, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below with the bytes that were found.
  }
  throw damaged(
    'a JSON object as header',
    path,
    JSON.stringify(bytes.toString('latin1', 0, 40)),
    'the file is damaged',
  );
}

/** Every entry's range must match its type and shape, and together they must fill the file from end to end. */
function checkEntries(
  json: Record<string, unknown>,
  dataOffset: number,
  size: number,
  path: string,
): SafetensorsHeader {
  const { __metadata__: metadata = {}, ...entries } = json;
  if (
    typeof metadata !== 'object' ||
    metadata === null ||
    !Object.values(metadata as object).every((value) => typeof value === 'string')
  ) {
    throw damaged('a map of strings', `__metadata__ in ${path}`, JSON.stringify(metadata).slice(0, 80));
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
    if (begin !== position)
      throw damaged(`byte ${position}`, `the start of ${name} in ${path}`, `${begin}`, 'the file is damaged');
    position = end;
  }
  if (dataOffset + position !== size) {
    const hint = dataOffset + position > size ? 'the file is cut short' : 'the file has bytes after its tensors';
    throw damaged(`${dataOffset + position} bytes as its header says`, path, `${size} bytes`, hint);
  }
  const { [DIGEST]: digest, ...rest } = metadata as Record<string, string>;
  return { tensors, metadata: rest, digest };
}

function checkEntry(name: string, entry: unknown, path: string) {
  const { dtype: code, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const extents = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (typeof code !== 'string' || !extents(shape) || !extents(offsets) || offsets.length !== 2) {
    throw damaged('dtype, shape and data_offsets', `${name} in ${path}`, JSON.stringify(entry).slice(0, 80));
  }
  const dtype = dtypes.get(code);
  if (!dtype)
    throw damaged('one of F32, F64, I32, I64, U8', `the type of ${name} in ${path}`, code, 'convert it first');
  const [begin, end] = offsets;
  if (end - begin !== sizeOf(shape) * itemSize[dtype]) {
    throw damaged(
      `${sizeOf(shape) * itemSize[dtype]} bytes (${code} [${shape}])`,
      `${name} in ${path}`,
      `${end - begin}`,
    );
  }
  return { dtype, shape, begin, end };
}

export function damaged(what: string, forWhat: string, got: string, hint?: string): DamagedFile {
  const { message } = expected(what, forWhat, got);
  return new DamagedFile(message, { hint });
}
