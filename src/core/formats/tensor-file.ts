/** Named tensors from a file of any of several formats, which is recognised by its first bytes. */
import { expected } from '../errors.js';
import type { NamedArray } from './arrays.js';
import { readFrozenGraph } from './frozen-graph.js';
import { allocate, readExactly, withInput } from './input.js';
import { readSafetensors } from './safetensors.js';
import { readTorch } from './torch.js';

export interface TensorFile {
  format: Format;
  tensors: Map<string, NamedArray>;
  /** Of safetensors. */
  metadata: Record<string, string>;
}

type Format = 'safetensors' | 'torch' | 'tensorflow graph';

/** Files that are held in memory whole; of larger ones none is meant. */
const LARGEST_FILE = 2 ** 31;
const KINDS = 'a .safetensors file, a .pth state dict of PyTorch, or a frozen TensorFlow graph .pb';

/** @throws UserError when the file is of none of the formats, damaged, or a pickle of anything but tensors. */
export async function readTensorFile(path: string): Promise<TensorFile> {
  const { format, bytes } = await withInput(path, KINDS, async ({ handle, size }) => {
    const start = new Uint8Array(Math.min(16, size));
    await readExactly(handle, start, 0, path);
    const format = formatOf(start, size);
    if (!format) throw expected(KINDS, path, size === 0 ? 'an empty file' : `the first bytes ${Buffer.from(start).toString('hex')}`);
    if (format === 'safetensors') return { format };
    if (size > LARGEST_FILE) throw expected(`a file of at most ${LARGEST_FILE} bytes`, path, `${size}`);
    const bytes = new Uint8Array(allocate(size, path));
    await readExactly(handle, bytes, 0, path);
    return { format, bytes };
  });
  if (!bytes) return { format, ...(await readSafetensors(path)) };
  return { format, tensors: format === 'torch' ? readTorch(bytes, path) : readFrozenGraph(bytes, path), metadata: {} };
}

function formatOf(start: Uint8Array, size: number): Format | undefined {
  const view = new DataView(start.buffer);
  if (start[0] === 0x50 && start[1] === 0x4b) return 'torch';
  // A pickle of protocol 2.
  if (start[0] === 0x80 && start[1] <= 5) return 'torch';
  if (start.length > 9 && start[8] === 0x7b && view.getBigUint64(0, true) <= BigInt(size)) return 'safetensors';
  // The first field of a GraphDef: a node.
  return start[0] === 0x0a ? 'tensorflow graph' : undefined;
}
