/** The elements of an .npy file as typed arrays: float16, which such arrays lack, is widened to float32. */
import { itemSize, view, type ArrayData } from './arrays.js';
import type { NpyHeader } from './npy-header.js';

type Elements = Pick<NpyHeader, 'dtype' | 'half'>;

/** Bytes of an element in the file. */
export function itemBytes({ dtype, half }: Elements): number {
  return half ? 2 : itemSize[dtype];
}

/** `length` elements from the beginning of a buffer; without copying where they are as in the file. */
export function elements({ dtype, half }: Elements, buffer: ArrayBufferLike, length: number): ArrayData {
  return half ? widened(new Uint16Array(buffer as ArrayBuffer, 0, length)) : view(dtype, buffer, 0, length);
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
    exponent === 31 ? (fraction === 0 ? Infinity : NaN) : exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return bits >> 15 ? -size : size;
}
