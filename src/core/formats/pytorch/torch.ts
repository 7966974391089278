/**
 * State dicts that torch.save wrote: one pickle and the bytes of each storage, either as a zip (since 1.6) or one after
 * the other (before). https://docs.pytorch.org/docs/stable/notes/serialization.html
 */
import { expected } from '../../errors.js';
import { type Dtype, itemSize, type NamedArray, sizeOf, view } from '../arrays.js';
import { type InputFile, readExactly, readWhole } from '../input.js';
import { openZipArchive } from '../zip/zip.js';
import { type Global, readPickle, refused } from './pickle.js';

/** First in the older layout, as a pickled number. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

const STORAGES: Record<string, Dtype> = {
  'torch.FloatStorage': 'float32',
  'torch.DoubleStorage': 'float64',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ByteStorage': 'uint8',
};

/** What tensors are views of. */
interface Storage {
  key: string;
  dtype: Dtype;
  count: number;
}

class PickledTensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: number[],
    readonly strides: number[],
  ) {}
}

/** The tensors of an open file, each in memory of its own; `path` names it in errors. */
export async function readTorch(file: InputFile, path: string): Promise<Map<string, NamedArray>> {
  const start = new Uint8Array(1);
  await readExactly(file.handle, start, 0, path);
  return start[0] === 0x50 ? readZip(path) : readLegacy(await readWhole(file, path), path);
}

async function readZip(path: string): Promise<Map<string, NamedArray>> {
  await using archive = await openZipArchive(path);
  const members = new Map(archive.members.map((member) => [member.name, member]));
  const read = async (name: string) => {
    const member = members.get(name);
    return member && archive.read(member);
  };
  const pickle = [...members.keys()].find((name) => /(^|\/)data\.pkl$/.test(name));
  if (pickle === undefined) throw expected('a file of torch.save', path, 'a zip without data.pkl');
  const folder = pickle.slice(0, -'data.pkl'.length);
  const order = await read(`${folder}byteorder`);
  if (order && Buffer.from(order).toString() !== 'little')
    throw expected('little-endian tensors', path, 'another byte order');
  const { value } = readPickle((await read(pickle))!, 0, rules(path));
  const storages = new Map<string, Uint8Array | undefined>();
  for (const { key } of storagesOf(value))
    if (!storages.has(key)) storages.set(key, await read(`${folder}data/${key}`));
  return tensorsOf(value, path, ({ key }) => storages.get(key));
}

function readLegacy(bytes: Uint8Array, path: string): Map<string, NamedArray> {
  let at = 0;
  const next = () => {
    const { value, end } = readPickle(bytes, at, rules(path));
    at = end;
    return value;
  };
  const [magic, protocol, system, state, keys] = [next(), next(), next(), next(), next()];
  if (magic !== MAGIC || protocol !== PROTOCOL)
    throw expected('a file of torch.save', path, `the version ${String(protocol)}`);
  if (system instanceof Map && system.get('little_endian') === false)
    throw expected('little-endian tensors', path, 'another byte order');
  const counts = new Map(storagesOf(state).map(({ key, count, dtype }) => [key, { count, dtype }]));
  const storages = new Map<string, Uint8Array>();
  for (const key of Array.isArray(keys) ? keys : []) {
    const known = counts.get(key as string);
    if (!known || at + 8 > bytes.length)
      throw expected('the storages of its tensors', path, `storage ${String(key)}`, 'the file is damaged or cut short');
    const count = new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigInt64(0, true);
    at += 8;
    const length = known.count * itemSize[known.dtype];
    if (count !== BigInt(known.count) || at + length > bytes.length) {
      throw expected(
        `${known.count} elements`,
        `storage ${String(key)} of ${path}`,
        `${count}`,
        'the file is damaged or cut short',
      );
    }
    storages.set(key as string, bytes.subarray(at, (at += length)));
  }
  return tensorsOf(state, path, ({ key }) => storages.get(key));
}

function rules(path: string) {
  const globals: Global[] = [
    { name: 'collections.OrderedDict', call: ([items = []]) => new Map(items as Array<[unknown, unknown]>) },
    { name: 'torch._utils._rebuild_tensor_v2', call: (args) => rebuild(args, path) },
    ...Object.keys(STORAGES).map((name) => ({ name })),
  ];
  return {
    path,
    globals: new Map(globals.map((global) => [global.name, global])),
    reference: (id: unknown) => storageOf(id, path),
  };
}

/** The reference ('storage', type, key, device, elements, ...). */
function storageOf(id: unknown, path: string): Storage {
  const [kind, type, key, , count] = Array.isArray(id) ? id : [];
  const dtype = STORAGES[(type as Global | undefined)?.name ?? ''];
  if (kind !== 'storage' || !dtype || typeof key !== 'string' || !isSize(count))
    throw refused(path, 'a reference to what is no storage');
  return { key, dtype, count };
}

function rebuild([storage, offset, shape, strides]: readonly unknown[], path: string): PickledTensor {
  const known = typeof storage === 'object' && storage !== null && 'dtype' in storage && 'count' in storage;
  if (!known || !isSize(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
    throw refused(path, 'a tensor without storage, offset, size and strides', 'the file is damaged');
  }
  return new PickledTensor(storage as Storage, offset, shape, strides);
}

const isSize = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isSizes = (value: unknown): value is number[] => Array.isArray(value) && value.every(isSize);

function storagesOf(state: unknown): Storage[] {
  const values = state instanceof Map ? [...state.values()] : [];
  return values.flatMap((value) => (value instanceof PickledTensor ? [value.storage] : []));
}

function tensorsOf(
  state: unknown,
  path: string,
  bytesOf: (storage: Storage) => Uint8Array | undefined,
): Map<string, NamedArray> {
  if (!(state instanceof Map)) throw refused(path, 'something that is no dictionary');
  const tensors = new Map<string, NamedArray>();
  for (const [name, tensor] of state) {
    if (typeof name !== 'string' || !(tensor instanceof PickledTensor)) {
      throw refused(
        path,
        `an entry ${JSON.stringify(String(name))} that is no tensor`,
        'save the state dict alone: torch.save(model.state_dict(), FILE)',
      );
    }
    tensors.set(name, materialise(tensor, bytesOf(tensor.storage), `${name} in ${path}`));
  }
  return tensors;
}

/** The elements in C order. */
function materialise(
  { storage, offset, shape, strides }: PickledTensor,
  bytes: Uint8Array | undefined,
  what: string,
): NamedArray {
  const { dtype, count } = storage;
  const length = count * itemSize[dtype];
  if (bytes?.length !== length)
    throw expected(`${length} bytes`, what, `${bytes?.length ?? 'none'}`, 'the file is damaged or cut short');
  const total = sizeOf(shape);
  const lastElement = shape.reduce((last, n, axis) => last + (n - 1) * strides[axis], offset);
  if (total > count || (total > 0 && lastElement >= count)) {
    throw expected(
      `a view of its ${count} stored elements`,
      what,
      `[${shape}] from ${offset} on`,
      'the file is damaged',
    );
  }
  if (isContiguous(shape, strides)) {
    const own = new Uint8Array(bytes.subarray(offset * itemSize[dtype], (offset + total) * itemSize[dtype]));
    return { dtype, shape, data: view(dtype, own.buffer, 0, total) };
  }
  const stored = view(dtype, new Uint8Array(bytes).buffer, 0, count);
  const data = view(dtype, new ArrayBuffer(total * itemSize[dtype]), 0, total);
  const place = shape.map(() => 0);
  for (let i = 0; i < total; i++) {
    data[i] = stored[place.reduce((sum, index, axis) => sum + index * strides[axis], offset)];
    for (let axis = shape.length - 1; axis >= 0 && ++place[axis] === shape[axis]; axis--) place[axis] = 0;
  }
  return { dtype, shape, data };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== stride) return false;
    stride *= shape[axis];
  }
  return true;
}
