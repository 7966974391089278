/** .npz files: a zip of .npy arrays, as numpy.savez and numpy.savez_compressed write them. */
import { zipSync } from 'fflate';
import { expected } from '../errors.js';
import type { ArrayData, NamedArray } from './arrays.js';
import { writeAtomic } from './atomic.js';
import { allocate, readExactly, withInput, writeFully } from './input.js';
import { decodeNpy, encodeNpy } from './npy.js';
import { unzip } from './zip.js';

/** Held in memory twice while it is unpacked. */
const LARGEST_FILE = 2 ** 31;

/** The arrays of an .npz by name (without `.npy`); with `names`, only these, and none of the others is decoded. */
export async function readNpz(path: string, names?: readonly string[]): Promise<Record<string, NamedArray>> {
  const bytes = await withInput(path, 'an .npz file', async ({ handle, size }) => {
    if (size > LARGEST_FILE) {
      throw expected(`an .npz file of at most ${LARGEST_FILE} bytes`, path, `${size}`, 'save the array as .npy');
    }
    const all = new Uint8Array(allocate(size, path));
    await readExactly(handle, all, 0, path);
    return all;
  });
  if (bytes.length < 4 || bytes[0] !== 0x50 || bytes[1] !== 0x4b) {
    const found = bytes.length === 0 ? 'an empty file' : `the bytes ${Buffer.from(bytes.subarray(0, 4)).toString('hex')}`;
    throw expected('an .npz file (a zip of arrays)', path, found, 'write it with numpy.savez');
  }
  const members = unzip(bytes, path, (name) => name.endsWith('.npy') && (!names || names.includes(arrayName(name))));
  const arrays: Record<string, NamedArray> = Object.create(null) as Record<string, NamedArray>;
  for (const [name, content] of members) {
    arrays[arrayName(name)] = decodeNpy(content, `${path} (${name})`);
  }
  return arrays;
}

/** Writes arrays uncompressed, as numpy.savez does; the same arrays give the same bytes. Atomic. */
export async function writeNpz(
  path: string,
  arrays: Record<string, { shape: readonly number[]; data: ArrayData }>,
): Promise<void> {
  const members = Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, data }]) => [`${name}.npy`, encodeNpy(shape, data)]),
  );
  const zip = zipSync(members, { level: 0, mtime: new Date(1980, 0, 1) });
  await writeAtomic(path, (handle) => writeFully(handle, zip, 0));
}

function arrayName(member: string): string {
  return member.slice(0, -'.npy'.length);
}
