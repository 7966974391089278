/** .npz files: a zip of .npy arrays, as numpy.savez and numpy.savez_compressed write them. */
import { expected } from '../../errors.js';
import {
  type ArrayData,
  bytesOf,
  checkShape,
  type Dtype,
  dtypeOf,
  itemSize,
  type NamedArray,
  sizeOf,
} from '../arrays.js';
import { writeAtomic } from '../atomic.js';
import { type InputFile, readExactly, withInput } from '../input.js';
import { decodeNpy } from '../npy/npy.js';
import { npyHeader } from '../npy/npy-header.js';
import { openZipArchive, type ZipArchive } from './zip.js';
import { createZipWriter } from './zip-writer.js';

/** The arrays of an .npz by name (without `.npy`); with `names`, only these, and nothing of the others is read. */
export async function readNpz(path: string, names?: readonly string[]): Promise<Record<string, NamedArray>> {
  await using archive = await openNpzArchive(path);
  const arrays: Record<string, NamedArray> = Object.create(null) as Record<string, NamedArray>;
  for (const member of archive.members) {
    const name = arrayName(member.name);
    if (names && !names.includes(name)) continue;
    arrays[name] = decodeNpy(await archive.read(member), `${path} (${member.name})`);
  }
  return arrays;
}

/** The members that are arrays. */
export async function openNpzArchive(path: string): Promise<ZipArchive> {
  await withInput(path, 'an .npz file', (file) => checkMagic(file, path));
  const archive = await openZipArchive(path);
  return { ...archive, members: archive.members.filter(({ name }) => name.endsWith('.npy')) };
}

async function checkMagic({ handle, size }: InputFile, path: string): Promise<void> {
  const start = Buffer.alloc(Math.min(4, size));
  await readExactly(handle, start, 0, path);
  if (start.length === 4 && start[0] === 0x50 && start[1] === 0x4b) return;
  const found = start.length === 0 ? 'an empty file' : `the bytes ${start.toString('hex')}`;
  throw expected('an .npz file (a zip of arrays)', path, found, 'write it with numpy.savez');
}

export type NpzArrays = Record<string, { shape: readonly number[]; data: ArrayData } | NpzRows>;

/** An array that is written piece by piece, so that it need not fit in memory. */
export interface NpzRows {
  shape: readonly number[];
  dtype: Dtype;
  pieces: AsyncIterable<ArrayData>;
}

/** Writes arrays uncompressed, as numpy.savez does; the same arrays give the same bytes. Atomic. */
export async function writeNpz(path: string, arrays: NpzArrays): Promise<void> {
  await writeAtomic(path, async (handle) => {
    const zip = createZipWriter(handle);
    for (const [name, array] of Object.entries(arrays)) {
      const dtype = 'data' in array ? dtypeOf(array.data) : array.dtype;
      if ('data' in array) checkShape(array.shape, array.data);
      const header = npyHeader(dtype, array.shape);
      const size = header.length + sizeOf(array.shape) * itemSize[dtype];
      await zip.add(`${name}.npy`, size, bytes(header, 'data' in array ? [array.data] : array.pieces));
    }
    await zip.finish();
  });
}

async function* bytes(
  header: Uint8Array,
  pieces: AsyncIterable<ArrayData> | Iterable<ArrayData>,
): AsyncGenerator<Uint8Array> {
  yield header;
  for await (const piece of pieces) yield bytesOf(piece);
}

function arrayName(member: string): string {
  return member.slice(0, -'.npy'.length);
}
