/** The header of an .npy file: NumPy's magic, a version, and a Python dictionary with type, order and shape. */
import { expected } from '../../errors.js';
import { type Dtype, sizeOf } from '../arrays.js';
import { itemBytes, readAs, type Stored } from './npy-elements.js';

export interface NpyHeader {
  /** As it is read. */
  dtype: Dtype;
  /** As it is in the file. */
  stored: Stored;
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

const descriptions: Record<Dtype, string> = {
  uint8: '|u1',
  int32: '<i4',
  int64: '<i8',
  float32: '<f4',
  float64: '<f8',
};
const dtypes = new Map<string, Stored>([
  ...Object.entries(descriptions).map(([dtype, text]) => [text, dtype as Dtype] as const),
  ['<u1', 'uint8'],
  ['u1', 'uint8'],
  ['|i1', 'int8'],
  ['<i2', 'int16'],
  ['<u2', 'uint16'],
  ['<u4', 'uint32'],
  ['<f2', 'float16'],
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
  const text = Buffer.from(bytes.subarray(bytes[6] === 1 ? 10 : PREFIX_BYTES, dataOffset))
    .toString('latin1')
    .trim();
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const extents = /'shape'\s*:\s*\(([\d,\sL]*)\)/.exec(text)?.[1];
  if (order === undefined || extents === undefined || !text.includes("'descr'")) {
    throw expected("'descr', 'fortran_order' and 'shape' in the .npy header", path, JSON.stringify(text.slice(0, 120)));
  }
  const shape = extents
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => parseInt(part, 10));
  const type = parseDescription(text, path);
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(sizeOf(shape) * itemBytes(type))) {
    throw expected('a shape that a file can hold', path, `(${extents})`, 'the header is damaged');
  }
  return { ...type, shape, fortran: order === 'True', dataOffset };
}

function parseDescription(text: string, path: string): Pick<NpyHeader, 'dtype' | 'stored'> {
  const description = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const stored = description === undefined ? undefined : dtypes.get(description);
  if (stored) return { dtype: readAs(stored), stored };
  const found =
    description === undefined
      ? 'a structured type'
      : description.includes('O')
        ? 'an object array (pickled Python, which is never loaded)'
        : description.startsWith('>')
          ? `the big-endian type '${description}'`
          : `the type '${description}'`;
  throw expected(
    'elements of an integer type up to int64, or float16, float32 or float64 (little-endian)',
    path,
    found,
    hintFor(description),
  );
}

/** How to convert what is not read; text and objects hold no numbers to convert. */
function hintFor(description = ''): string {
  const kind = /^[<>=|]?([iubfc])\d/.exec(description)?.[1];
  if (!kind) return 'save an array of numbers';
  return `convert it, for example numpy.save(path, array.astype('${'iub'.includes(kind) ? '<i4' : '<f4'}'))`;
}

/** Throws unless the file holds exactly the elements that its header announces. */
export function checkNpySize(header: NpyHeader, size: number, path: string): void {
  const wanted = header.dataOffset + sizeOf(header.shape) * itemBytes(header);
  if (size !== wanted) {
    throw expected(
      `${wanted} bytes (${header.stored} [${header.shape}] as its header says)`,
      path,
      `${size} bytes`,
      size < wanted ? 'the file is cut short' : 'the file has bytes after its array',
    );
  }
}
