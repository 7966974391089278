/** Arrays of an .npz that may be larger than memory: which there are, and the rows of one as they come by. */
import { createReadStream } from 'node:fs';
import { createInflateRaw } from 'node:zlib';
import { expected } from '../../errors.js';
import { crc32 } from '../crc32.js';
import { withInput } from '../input.js';
import { checkNpySize } from '../npy/npy-header.js';
import { type NpyStream, readNpyStream } from '../npy/npy-stream.js';
import { npzDirectory } from './npz.js';
import { memberStart, type ZipMember } from './zip.js';

export interface NpzArrayStream extends NpyStream {
  close(): void;
}

/** The names of the arrays, without `.npy`. */
export async function npzNames(path: string): Promise<string[]> {
  const members = await withInput(path, 'an .npz file', (file) => npzDirectory(file, path));
  return members.map(({ name }) => name.slice(0, -'.npy'.length));
}

/** Opens one array for reading from its first row to its last; the checksum is compared after the last. */
export async function openNpzStream(path: string, name: string): Promise<NpzArrayStream> {
  const { member, start } = await withInput(path, 'an .npz file', async (file) => {
    const found = (await npzDirectory(file, path)).find((candidate) => candidate.name === `${name}.npy`);
    if (!found) throw expected(`the array ${name}`, path, 'none of this name');
    if (found.method !== 0 && found.method !== 8)
      throw expected('a stored or deflated member', `${path} (${found.name})`, `method ${found.method}`);
    return { member: found, start: await memberStart(file, found, path) };
  });
  const where = `${path} (${member.name})`;
  const file = createReadStream(path, { start, end: start + Math.max(member.packed, 1) - 1, highWaterMark: 1 << 20 });
  const unpacked = member.method === 0 ? file : file.pipe(createInflateRaw({ chunkSize: 1 << 18 }));
  file.on('error', (error) => unpacked.destroy(error));
  try {
    const stream = await readNpyStream(checked(unpacked, member, where), where);
    checkNpySize(stream.header, member.size, where);
    return { ...stream, close: () => void file.destroy() };
  } catch (error) {
    file.destroy();
    throw error;
  }
}

async function* checked(
  chunks: AsyncIterable<Uint8Array>,
  { size, crc }: ZipMember,
  where: string,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  let found = 0;
  try {
    for await (const chunk of chunks) {
      length += chunk.length;
      if (length > size) throw expected(`${size} bytes`, where, 'more', 'the file is damaged');
      found = crc32(chunk, found);
      yield chunk;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_'))
      throw expected('a sound zip file', where, (error as Error).message, 'the file is damaged');
    throw error;
  }
  if (length !== size) throw expected(`${size} bytes`, where, `${length}`, 'the file is damaged');
  if (found !== crc)
    throw expected(`the checksum ${crc.toString(16)}`, where, found.toString(16), 'the file is damaged');
}
