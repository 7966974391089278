/**
 * Files in PyTorch's layouts, with whatever is wanted in them. What torch.save itself writes is in fixtures/inception.
 */
import { zipSync } from 'fflate';
import { bytesOf, sizeOf } from '../../../../src/core/formats/arrays.js';

export interface PickledTensor {
  /** Elements that its storage says it has. */
  count: number;
  offset: number;
  shape: readonly number[];
  strides: readonly number[];
  data: Float32Array;
}

export function torchFile(tensors: ReadonlyMap<string, PickledTensor>, layout: 'legacy' | 'zip'): Uint8Array {
  const items = [...tensors].map(([name, tensor], key) =>
    Buffer.concat([text(name), rebuilt(tensor, String(key), layout)]),
  );
  const state = Buffer.concat([
    Buffer.from('\x80\x02ccollections\nOrderedDict\n)R(', 'latin1'),
    ...items,
    Buffer.from('u.'),
  ]);
  const storages = [...tensors.values()].map(({ data }) => bytesOf(data));
  if (layout === 'zip') {
    const members = storages.map((bytes, key) => [`archive/data/${key}`, bytes]);
    return zipSync({ 'archive/data.pkl': state, ...Object.fromEntries(members) }, { level: 0 });
  }
  const magic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
  const protocol = Buffer.from('80024de9032e', 'hex');
  const system = Buffer.from('80027d2e', 'hex');
  const keys = Buffer.concat([
    Buffer.from('\x80\x02](', 'latin1'),
    ...storages.map((_, key) => text(String(key))),
    Buffer.from('e.'),
  ]);
  const data = storages.flatMap((bytes) => [Buffer.from(BigInt64Array.of(BigInt(bytes.length / 4)).buffer), bytes]);
  return Buffer.concat([magic, protocol, system, state, keys, ...data]);
}

/** A tensor as PyTorch stores it: in C order, in a storage of its own. */
export function contiguous(shape: readonly number[], data: Float32Array): PickledTensor {
  return { count: data.length, offset: 0, shape, strides: shape.map((_, axis) => sizeOf(shape.slice(axis + 1))), data };
}

function rebuilt({ count, offset, shape, strides }: PickledTensor, key: string, layout: 'legacy' | 'zip'): Buffer {
  const view = layout === 'legacy' ? [Buffer.from('N')] : [];
  const storage = tuple(
    text('storage'),
    Buffer.from('ctorch\nFloatStorage\n'),
    text(key),
    text('cpu'),
    number(count),
    ...view,
  );
  const parts = [
    Buffer.concat([storage, Buffer.from('Q')]),
    number(offset),
    tuple(...shape.map(number)),
    tuple(...strides.map(number)),
  ];
  return Buffer.concat([
    Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n'),
    tuple(...parts, Buffer.from([0x89, 0x4e])),
    Buffer.from('R'),
  ]);
}

const tuple = (...parts: Buffer[]) => Buffer.concat([Buffer.from('('), ...parts, Buffer.from('t')]);

function text(words: string): Buffer {
  const bytes = Buffer.from(words);
  return Buffer.concat([Buffer.from([0x58]), Buffer.from(Uint32Array.of(bytes.length).buffer), bytes]);
}

function number(n: number): Buffer {
  return Buffer.concat([Buffer.from([0x4a]), Buffer.from(Int32Array.of(n).buffer)]);
}
