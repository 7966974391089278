/** The elements of an .npy file as typed arrays. Types for which the other formats have no array are widened. */
import { type ArrayData, type Dtype, itemSize, view } from '../arrays.js';

/** A type of elements in a file. */
export type Stored = Dtype | keyof typeof narrow;

/** What each narrow type is read as, without loss; bytes of an element. */
const narrow = {
  float16: {
    dtype: 'float32',
    bytes: 2,
    widen: (buffer: ArrayBuffer, n: number) => widened(new Uint16Array(buffer, 0, n)),
  },
  int8: {
    dtype: 'int32',
    bytes: 1,
    widen: (buffer: ArrayBuffer, n: number) => Int32Array.from(new Int8Array(buffer, 0, n)),
  },
  int16: {
    dtype: 'int32',
    bytes: 2,
    widen: (buffer: ArrayBuffer, n: number) => Int32Array.from(new Int16Array(buffer, 0, n)),
  },
  uint16: {
    dtype: 'int32',
    bytes: 2,
    widen: (buffer: ArrayBuffer, n: number) => Int32Array.from(new Uint16Array(buffer, 0, n)),
  },
  uint32: {
    dtype: 'int64',
    bytes: 4,
    widen: (buffer: ArrayBuffer, n: number) => BigInt64Array.from(new Uint32Array(buffer, 0, n), BigInt),
  },
} as const satisfies Record<string, { dtype: Dtype; bytes: number; widen(buffer: ArrayBuffer, n: number): ArrayData }>;

const isNarrow = (stored: Stored): stored is keyof typeof narrow => stored in narrow;

export function readAs(stored: Stored): Dtype {
  return isNarrow(stored) ? narrow[stored].dtype : stored;
}

/** Bytes of an element in the file. */
export function itemBytes({ stored }: { stored: Stored }): number {
  return isNarrow(stored) ? narrow[stored].bytes : itemSize[stored];
}

/** `length` elements from the beginning of a buffer; without copying where they are as in the file. */
export function elements({ stored }: { stored: Stored }, buffer: ArrayBufferLike, length: number): ArrayData {
  if (!isNarrow(stored)) return view(stored, buffer, 0, length);
  return narrow[stored].widen(buffer as ArrayBuffer, length);
}

let table: Float32Array | undefined;

/** IEEE 754 binary16, as bits, to float32, without loss. */
function widened(bits: Uint16Array): Float32Array {
  const known = (table ??= Float32Array.from({ length: 1 << 16 }, (_, i) => halfValue(i)));
  const result = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) result[i] = known[bits[i]];
  return result;
}

function halfValue(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size =
    exponent === 31
      ? fraction === 0
        ? Infinity
        : NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (1024 + fraction) * 2 ** (exponent - 25);
  return bits >> 15 ? -size : size;
}
