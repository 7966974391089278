/** .npz files: a zip of .npy arrays, as numpy.savez and numpy.savez_compressed write them. */
import { unzipSync, zipSync } from 'fflate';
import { expected, UserError } from '../errors.js';
import type { ArrayData, NamedArray } from './arrays.js';
import { writeAtomic } from './atomic.js';
import { allocate, readExactly, withInput, writeFully } from './input.js';
import { decodeNpy, encodeNpy } from './npy.js';

/** Held in memory twice while it is unpacked. */
const LARGEST_FILE = 2 ** 31;
/** Deflate cannot shrink by more than this factor, so a header that claims more lies. */
const LARGEST_RATIO = 1032;

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
  const members = unzip(bytes, path, names);
  const arrays: Record<string, NamedArray> = Object.create(null) as Record<string, NamedArray>;
  for (const [name, content] of Object.entries(members)) {
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

function unzip(bytes: Uint8Array, path: string, names?: readonly string[]): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes, {
      filter: ({ name, size, originalSize }) => {
        if (!name.endsWith('.npy') || (names && !names.includes(arrayName(name)))) return false;
        if (size > bytes.length || originalSize > size * LARGEST_RATIO + 1024) {
          throw expected('sizes that fit the file', `${path} (${name})`, `${size} packed, ${originalSize} unpacked`);
        }
        return true;
      },
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw expected('a sound .npz file', path, (error as Error).message, 'the file is damaged or cut short');
  }
}

function arrayName(member: string): string {
  return member.slice(0, -'.npy'.length);
}
