/** NumPy's .npy files: whole arrays, rows, streams and writers, each in the file beside. */

export type { ArrayData as NpyData, Dtype as NpyDtype, NamedArray as NpyArray } from '../arrays.js';
export { decodeNpy, encodeNpy, readNpy, readNpyHeader, writeNpy } from './npy-array.js';
export { type NpyHeader, npyHeader } from './npy-header.js';
export { type NpyRows, openNpyRows } from './npy-rows.js';
export { type NpyStream, readNpyStream } from './npy-stream.js';
export { createNpyWriter, type NpyWriter } from './npy-writer.js';
