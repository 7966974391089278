/** Random access to the rows of an .npy file of any size. */
import { expected } from '../../errors.js';
import { type ArrayData, type Dtype, sizeOf } from '../arrays.js';
import { allocate, openInput, readExactly } from '../input.js';
import { readNpy, readNpyHeader } from './npy-array.js';
import { elements, itemBytes } from './npy-elements.js';

export interface NpyRows {
  path: string;
  dtype: Dtype;
  shape: number[];
  /** Elements of one row: the product of all extents but the first. */
  rowLength: number;
  /** `count` rows from `first` on, as a fresh array in C order. */
  rows(first: number, count: number): Promise<ArrayData>;
  close(): Promise<void>;
}

/** Opens an .npy file of one dimension or more. A Fortran-order matrix is read whole, since its rows lie scattered. */
export async function openNpyRows(path: string): Promise<NpyRows> {
  const file = await openInput(path, 'an .npy file');
  try {
    const header = await readNpyHeader(file, path);
    const { dtype, shape, fortran, dataOffset } = header;
    if (shape.length === 0)
      throw expected('an array of rows', path, 'a single number', 'save an array of 1 dimension or more');
    const rowLength = sizeOf(shape.slice(1));
    const check = (first: number, count: number) => {
      if (first < 0 || count < 0 || first + count > shape[0]) {
        throw new RangeError(`rows ${first} to ${first + count} of ${path}, which has ${shape[0]}`);
      }
    };
    if (fortran && shape.length > 1) {
      await file.handle.close();
      const { data } = await readNpy(path);
      const rows = async (first: number, count: number) => {
        check(first, count);
        return data.slice(first * rowLength, (first + count) * rowLength);
      };
      return { path, dtype, shape, rowLength, rows, close: async () => {} };
    }
    const rowBytes = rowLength * itemBytes(header);
    const rows = async (first: number, count: number) => {
      check(first, count);
      const buffer = allocate(count * rowBytes, path);
      await readExactly(file.handle, new Uint8Array(buffer), dataOffset + first * rowBytes, path);
      return elements(header, buffer, count * rowLength);
    };
    return { path, dtype, shape, rowLength, rows, close: () => file.handle.close() };
  } catch (error) {
    await file.handle.close().catch(() => {});
    throw error;
  }
}
