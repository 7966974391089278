/** An .npy array that comes through a pipe: the header states the shape, the rows follow. */
import { expected } from '../../errors.js';
import { type ArrayData, sizeOf } from '../arrays.js';
import { allocate } from '../input.js';
import { elements, itemBytes } from './npy-elements.js';
import { type NpyHeader, npyDataOffset, PREFIX_BYTES, parseNpyHeader } from './npy-header.js';

export interface NpyStream {
  header: NpyHeader;
  /** The rows in pieces of `count` (the last one shorter), each a fresh array. Can be read once. */
  rows(count: number): AsyncGenerator<ArrayData, void, undefined>;
}

/** Reads the header of a stream of bytes; `name` stands for it in errors. */
export async function readNpyStream(readable: AsyncIterable<Uint8Array>, name = 'standard input'): Promise<NpyStream> {
  const source = byteSource(readable);
  const prefix = await source.take(PREFIX_BYTES);
  const rest = await source.take(Math.max(npyDataOffset(prefix, name) - prefix.length, 0));
  const header = parseNpyHeader(Buffer.concat([prefix, rest]), name);
  const { shape } = header;
  if (shape.length === 0) throw expected('an array of rows', name, 'a single number');
  if (header.fortran && shape.length > 1) {
    throw expected('an array in C order', name, 'Fortran order', 'use numpy.ascontiguousarray before saving');
  }
  const rowLength = sizeOf(shape.slice(1));
  async function* rows(count: number): AsyncGenerator<ArrayData, void, undefined> {
    for (let first = 0; first < shape[0]; first += count) {
      const wanted = Math.min(count, shape[0] - first) * rowLength;
      const buffer = allocate(wanted * itemBytes(header), name);
      const got = await source.fill(new Uint8Array(buffer));
      if (got < buffer.byteLength) {
        const complete = first + Math.floor(got / (rowLength * itemBytes(header)));
        throw expected(`${shape[0]} rows as its header says`, name, `an end after ${complete}`, 'did the sender fail?');
      }
      yield elements(header, buffer, wanted);
    }
    if ((await source.take(1)).length > 0) throw expected('an end after the last row', name, 'more bytes');
  }
  return { header, rows };
}

/** Cuts a stream of chunks into pieces of the lengths asked for; a piece is shorter only at the end. */
function byteSource(readable: AsyncIterable<Uint8Array>) {
  const chunks = readable[Symbol.asyncIterator]();
  let current: Uint8Array = new Uint8Array(0);
  const fill = async (target: Uint8Array): Promise<number> => {
    let done = 0;
    while (done < target.length) {
      if (current.length === 0) {
        const next = await chunks.next();
        if (next.done) break;
        current = next.value;
        continue;
      }
      const length = Math.min(current.length, target.length - done);
      target.set(current.subarray(0, length), done);
      current = current.subarray(length);
      done += length;
    }
    return done;
  };
  const take = async (length: number): Promise<Uint8Array> => {
    const target = new Uint8Array(length);
    return target.subarray(0, await fill(target));
  };
  return { fill, take };
}
