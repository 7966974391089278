/** Named tensors from a file of any of several formats, which is recognised by its first bytes. */
import { expected } from '../errors.js';
import type { NamedArray } from './arrays.js';
import { readExactly, readWhole, withInput } from './input.js';
import { readTorch } from './pytorch/torch.js';
import { readSafetensors } from './safetensors.js';
import { readFrozenGraph } from './tensorflow/frozen-graph.js';

export interface TensorFile {
  format: Format;
  tensors: Map<string, NamedArray>;
  /** Of safetensors. */
  metadata: Record<string, string>;
}

type Format = 'safetensors' | 'torch' | 'tensorflow graph';

const KINDS = 'a .safetensors file, a .pth state dict of PyTorch, or a frozen TensorFlow graph .pb';

/** @throws UserError when the file is of none of the formats, damaged, or a pickle of anything but tensors. */
export async function readTensorFile(path: string): Promise<TensorFile> {
  return withInput(path, KINDS, async (file) => {
    const start = new Uint8Array(Math.min(16, file.size));
    await readExactly(file.handle, start, 0, path);
    const format = formatOf(start, file.size);
    if (!format)
      throw expected(
        KINDS,
        path,
        file.size === 0 ? 'an empty file' : `the first bytes ${Buffer.from(start).toString('hex')}`,
      );
    if (format === 'safetensors') return { format, ...(await readSafetensors(path)) };
    if (format === 'torch') return { format, tensors: await readTorch(file, path), metadata: {} };
    return { format, tensors: readFrozenGraph(await readWhole(file, path), path), metadata: {} };
  });
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
