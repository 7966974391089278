/** Whole .npy files: one array in memory. */

import { type ArrayData, bytesOf, checkShape, dtypeOf, type NamedArray, sizeOf } from '../arrays.js';
import { writeAtomic } from '../atomic.js';
import { allocate, type InputFile, readExactly, withInput, writeFully } from '../input.js';
import { elements, itemBytes } from './npy-elements.js';
import { checkNpySize, type NpyHeader, npyDataOffset, npyHeader, PREFIX_BYTES, parseNpyHeader } from './npy-header.js';

/** Reads an .npy file into memory, in C order whatever the file's order. */
export async function readNpy(path: string): Promise<NamedArray> {
  return withInput(path, 'an .npy file', async (file) => {
    const header = await readNpyHeader(file, path);
    const bytes = allocate(sizeOf(header.shape) * itemBytes(header), path);
    await readExactly(file.handle, new Uint8Array(bytes), header.dataOffset, path);
    return decode(header, bytes);
  });
}

/** The header of an open .npy file, checked against the file's length. */
export async function readNpyHeader({ handle, size }: InputFile, path: string): Promise<NpyHeader> {
  const prefix = new Uint8Array(Math.min(PREFIX_BYTES, size));
  await readExactly(handle, prefix, 0, path);
  const bytes = new Uint8Array(Math.min(npyDataOffset(prefix, path), size));
  await readExactly(handle, bytes, 0, path);
  const header = parseNpyHeader(bytes, path);
  checkNpySize(header, size, path);
  return header;
}

/** Decodes the bytes of an .npy file that is in memory, such as a member of an .npz; `path` names it in errors. */
export function decodeNpy(bytes: Uint8Array, path: string): NamedArray {
  const header = parseNpyHeader(bytes, path);
  checkNpySize(header, bytes.length, path);
  return decode(header, bytes.slice(header.dataOffset).buffer);
}

/** Encodes an array as the bytes of an .npy file. */
export function encodeNpy(shape: readonly number[], data: ArrayData): Uint8Array {
  checkShape(shape, data);
  return Buffer.concat([npyHeader(dtypeOf(data), shape), bytesOf(data)]);
}

/** Writes an array in C order; the type is that of `data`. Atomic; replaces an existing file. */
export async function writeNpy(path: string, shape: readonly number[], data: ArrayData): Promise<void> {
  checkShape(shape, data);
  const header = npyHeader(dtypeOf(data), shape);
  await writeAtomic(path, async (handle) => {
    await writeFully(handle, header, 0);
    await writeFully(handle, bytesOf(data), header.length);
  });
}

function decode(header: NpyHeader, buffer: ArrayBufferLike): NamedArray {
  const { dtype, shape, fortran } = header;
  const data = elements(header, buffer, sizeOf(shape));
  return { dtype, shape, data: fortran && shape.length > 1 ? fromFortran(data, shape) : data };
}

/** Column-major to row-major: walks the target in order and keeps the source position by carries. */
function fromFortran(source: ArrayData, shape: readonly number[]): ArrayData {
  const target = source.slice();
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < target.length; to++) {
    target[to] = source[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return target;
}
