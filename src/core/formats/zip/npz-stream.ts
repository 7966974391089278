/** Arrays of an .npz that may be larger than memory: which there are, and the rows of one as they come by. */
import { expected } from '../../errors.js';
import { checkNpySize } from '../npy/npy-header.js';
import { type NpyStream, readNpyStream } from '../npy/npy-stream.js';
import { openNpzArchive } from './npz.js';

export interface NpzArrayStream extends NpyStream {
  close(): void;
}

/** The names of the arrays, without `.npy`. */
export async function npzNames(path: string): Promise<string[]> {
  await using archive = await openNpzArchive(path);
  return archive.members.map(({ name }) => name.slice(0, -'.npy'.length));
}

/** Opens one array for reading from its first row to its last; the checksum is compared after the last. */
export async function openNpzStream(path: string, name: string): Promise<NpzArrayStream> {
  const archive = await openNpzArchive(path);
  let content: AsyncGenerator<Uint8Array> | undefined;
  const close = () => {
    void content?.return(undefined);
    void archive[Symbol.asyncDispose]();
  };
  try {
    const member = archive.members.find((candidate) => candidate.name === `${name}.npy`);
    if (!member) throw expected(`the array ${name}`, path, 'none of this name');
    const where = `${path} (${member.name})`;
    content = archive.stream(member);
    const stream = await readNpyStream(content, where);
    checkNpySize(stream.header, member.size, where);
    return { ...stream, close };
  } catch (error) {
    close();
    throw error;
  }
}
