/** The header of an .npy file: NumPy's magic, a version, and a Python dictionary with type, order and shape. */
import { expected } from '../errors.js';
import { sizeOf, type Dtype } from './arrays.js';
import { itemBytes } from './npy-elements.js';

export interface NpyHeader {
  /** As it is read. */
  dtype: Dtype;
  /** The file has float16, which is read as float32. */
  half: boolean;
  shape: number[];
  /** Column-major: the first index runs fastest. */
  fortran: boolean;
  /** Byte at which the elements begin. */
  dataOffset: number;
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** Enough of the file to know the header's length. */
export const PREFIX_BYTES = 12;
/** NumPy itself writes less than 200 bytes. */
const LONGEST_HEADER = 1 << 20;

const descriptions: Record<Dtype, string> = { uint8: '|u1', int32: '<i4', int64: '<i8', float32: '<f4', float64: '<f8' };
const HALF = '<f2';
const dtypes = new Map<string, Dtype>([
  ...Object.entries(descriptions).map(([dtype, text]) => [text, dtype as Dtype] as const),
  ['<u1', 'uint8'],
  ['u1', 'uint8'],
  [HALF, 'float32'],
]);

/** A version 1 header with its magic; padded to a multiple of 64 bytes and to `atLeast` bytes. */
export function npyHeader(dtype: Dtype, shape: readonly number[], atLeast = 0): Buffer {
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descriptions[dtype]}', 'fortran_order': False, 'shape': (${extents}), }`;
  const total = Math.max(Math.ceil((10 + text.length + 1) / 64) * 64, atLeast);
  const header = Buffer.alloc(total, ' ');
  MAGIC.copy(header);
  header[6] = 1;
  header[7] = 0;
  header.writeUInt16LE(total - 10, 8);
  header.write(text, 10, 'latin1');
  header[total - 1] = 0x0a;
  return header;
}

/** Where the elements begin, from the first 12 bytes of a file (10 are enough for version 1). */
export function npyDataOffset(prefix: Uint8Array, path: string): number {
  const bytes = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  if (bytes.length < 10 || !bytes.subarray(0, 6).equals(MAGIC)) {
    const found = bytes.length === 0 ? 'an empty file' : `the bytes ${bytes.subarray(0, 6).toString('hex')}`;
    throw expected("an .npy file (magic '\\x93NUMPY')", path, found, 'write it with numpy.save');
  }
  const version = bytes[6];
  if (version < 1 || version > 3 || (version > 1 && bytes.length < PREFIX_BYTES)) {
    throw expected('.npy version 1, 2 or 3', path, `version ${version}.${bytes[7]}`);
  }
  const start = version === 1 ? 10 : PREFIX_BYTES;
  const length = version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  if (length > LONGEST_HEADER) {
    throw expected(`an .npy header of at most ${LONGEST_HEADER} bytes`, path, `${length}`, 'the file is damaged');
  }
  return start + length;
}

/** Reads a whole header, `dataOffset` bytes from the beginning of the file. */
export function parseNpyHeader(bytes: Uint8Array, path: string): NpyHeader {
  const dataOffset = npyDataOffset(bytes, path);
  if (bytes.length < dataOffset) {
    throw expected(`an .npy header of ${dataOffset} bytes`, path, `${bytes.length} bytes`, 'the file is cut short');
  }
  const text = Buffer.from(bytes.subarray(bytes[6] === 1 ? 10 : PREFIX_BYTES, dataOffset)).toString('latin1').trim();
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const extents = /'shape'\s*:\s*\(([\d,\sL]*)\)/.exec(text)?.[1];
  if (order === undefined || extents === undefined || !text.includes("'descr'")) {
    throw expected("'descr', 'fortran_order' and 'shape' in the .npy header", path, JSON.stringify(text.slice(0, 120)));
  }
  const shape = extents.split(',').filter((part) => part.trim() !== '').map((part) => parseInt(part, 10));
  const type = parseDescription(text, path);
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(sizeOf(shape) * itemBytes(type))) {
    throw expected('a shape that a file can hold', path, `(${extents})`, 'the header is damaged');
  }
  return { ...type, shape, fortran: order === 'True', dataOffset };
}

function parseDescription(text: string, path: string): Pick<NpyHeader, 'dtype' | 'half'> {
  const description = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const dtype = description === undefined ? undefined : dtypes.get(description);
  if (dtype) return { dtype, half: description === HALF };
  const found =
    description === undefined
      ? 'a structured type'
      : description.includes('O')
        ? 'an object array (pickled Python, which is never loaded)'
        : description.startsWith('>')
          ? `the big-endian type '${description}'`
          : `the type '${description}'`;
  throw expected(
    'elements of type uint8, int32, int64, float16, float32 or float64 (little-endian)',
    path,
    found,
    "convert it, for example numpy.save(path, array.astype('<f4'))",
  );
}

/** Throws unless the file holds exactly the elements that its header announces. */
export function checkNpySize(header: NpyHeader, size: number, path: string): void {
  const wanted = header.dataOffset + sizeOf(header.shape) * itemBytes(header);
  if (size !== wanted) {
    throw expected(
      `${wanted} bytes (${header.half ? 'float16' : header.dtype} [${header.shape}] as its header says)`,
      path,
      `${size} bytes`,
      size < wanted ? 'the file is cut short' : 'the file has bytes after its array',
    );
  }
}
