/** Named tensors from a file of whatever format, which is recognised by its first bytes. */
import type { NamedArray } from './arrays.js';
import { readSafetensors } from './safetensors.js';

export interface TensorFile {
  format: 'safetensors';
  tensors: Map<string, NamedArray>;
}

export async function readTensorFile(path: string): Promise<TensorFile> {
  return { format: 'safetensors', tensors: (await readSafetensors(path)).tensors };
}
