/** The element types that the file formats share, as typed arrays in C order and little-endian. */

export type Dtype = 'uint8' | 'int32' | 'int64' | 'float32' | 'float64';
export type ArrayData = Uint8Array | Int32Array | BigInt64Array | Float32Array | Float64Array;

/** An array as read from or written to a file. */
export interface NamedArray<D extends ArrayData = ArrayData> {
  dtype: Dtype;
  shape: number[];
  data: D;
}

export const itemSize: Record<Dtype, number> = { uint8: 1, int32: 4, int64: 8, float32: 4, float64: 8 };

const constructors = {
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** `length` elements of `buffer` from byte `offset`, without copying. */
export function view(dtype: Dtype, buffer: ArrayBufferLike, offset: number, length: number): ArrayData {
  return new constructors[dtype](buffer as ArrayBuffer, offset, length);
}

/** The bytes of a typed array, without copying. */
export function bytesOf(data: ArrayData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export function dtypeOf(data: ArrayData): Dtype {
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  throw new TypeError(`no file format here stores a ${Object.prototype.toString.call(data)}`);
}

/** Number of elements; 1 for the scalar shape []. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Throws if the shape does not hold exactly the elements given: an error of the program, not of the user. */
export function checkShape(shape: readonly number[], data: ArrayData): void {
  if (sizeOf(shape) !== data.length) {
    throw new RangeError(`shape [${shape}] holds ${sizeOf(shape)} elements, the data has ${data.length}`);
  }
}
