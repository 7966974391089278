/** The constants of a frozen TensorFlow graph: a GraphDef whose weights are Const nodes. */
import { expected } from '../../errors.js';
import { type Dtype, itemSize, type NamedArray, sizeOf, view } from '../arrays.js';
import { fieldsOf, text } from './protobuf-reader.js';

/** Fields of GraphDef, NodeDef, AttrValue and TensorProto (tensorflow/core/framework). */
const NODE = 1;
const [NAME, OP, INPUT, ATTRIBUTE] = [1, 2, 3, 5];
const [BOOL, TENSOR] = [5, 8];
const [DTYPE, SHAPE, CONTENT, FLOATS] = [1, 2, 4, 5];

/** Types of TensorProto that are read; constants of others are left out. */
const DTYPES: Record<number, Dtype> = { 1: 'float32', 2: 'float64', 3: 'int32', 4: 'uint8', 9: 'int64' };

/** One stored value may stand for all elements; a tensor larger than this is no weight of a network. */
const MOST_REPEATED = 1 << 24;

interface Node {
  name: string;
  op: string;
  inputs: string[];
  attributes: Map<string, Uint8Array>;
}

/**
 * Constants by the names of their nodes; `path` names the file in errors. Of a batch norm that does not scale, as its
 * node may say, the scale is 1 whatever its constant holds.
 */
export function readFrozenGraph(bytes: Uint8Array, path: string): Map<string, NamedArray> {
  const constants = new Map<string, NamedArray>();
  const unscaled: string[] = [];
  for (const field of fieldsOf(bytes, path)) {
    if (field.number !== NODE) continue;
    const { name, op, inputs, attributes } = readNode(field.bytes, path);
    const value = attributes.get('value');
    const tensor = op === 'Const' && value ? readTensor(value, `${name} in ${path}`) : undefined;
    if (tensor) constants.set(name, tensor);
    if (op === 'BatchNormWithGlobalNormalization' && !isTrue(attributes.get('scale_after_normalization'), path))
      unscaled.push(inputs[4] ?? '');
  }
  for (const name of unscaled) {
    const scale = constants.get(name)?.data;
    if (scale instanceof Float32Array) scale.fill(1);
  }
  return constants;
}

function readNode(bytes: Uint8Array, path: string): Node {
  const node: Node = { name: '', op: '', inputs: [], attributes: new Map() };
  for (const { number, bytes: part } of fieldsOf(bytes, path)) {
    if (number === NAME) node.name = text(part);
    if (number === OP) node.op = text(part);
    if (number === INPUT) node.inputs.push(text(part));
    if (number === ATTRIBUTE) {
      const [key, value] = [1, 2].map((wanted) => lastField(part, wanted, path));
      if (key && value) node.attributes.set(text(key), value);
    }
  }
  return node;
}

/** A tensor of a type that is read, of an AttrValue. */
function readTensor(attribute: Uint8Array, what: string): NamedArray | undefined {
  const proto = lastField(attribute, TENSOR, what);
  if (!proto) return undefined;
  let dtype: Dtype | undefined;
  let shape: number[] = [];
  let content: Uint8Array | undefined;
  const floats: Uint8Array[] = [];
  for (const { number, value, bytes } of fieldsOf(proto, what)) {
    if (number === DTYPE) dtype = DTYPES[Number(value)];
    if (number === SHAPE) shape = readShape(bytes, what);
    if (number === CONTENT) content = bytes;
    if (number === FLOATS) floats.push(bytes);
  }
  if (!dtype) return undefined;
  const count = sizeOf(shape);
  if (content?.length) {
    if (content.length !== count * itemSize[dtype])
      throw expected(`${count * itemSize[dtype]} bytes for [${shape}]`, what, `${content.length}`);
    return { dtype, shape, data: view(dtype, new Uint8Array(content).buffer, 0, count) };
  }
  // Small constants of other types are written number by number; none of them is a weight.
  if (dtype !== 'float32') return undefined;
  const numbers = Uint8Array.from(Buffer.concat(floats));
  if (numbers.length % 4 !== 0)
    throw expected('whole float32 numbers', what, `${numbers.length} bytes`, 'the file is damaged');
  return { dtype, shape, data: repeated(new Float32Array(numbers.buffer), count, what) };
}

/** The last value stands for all that are missing. */
function repeated(values: Float32Array, count: number, what: string): Float32Array {
  if (values.length === count) return values;
  if (values.length > count || values.length === 0 || count > MOST_REPEATED)
    throw expected(`${count} numbers`, what, `${values.length}`, 'the file is damaged');
  const all = new Float32Array(count).fill(values.at(-1)!);
  all.set(values);
  return all;
}

function readShape(bytes: Uint8Array, what: string): number[] {
  const shape: number[] = [];
  for (const { number, bytes: dim } of fieldsOf(bytes, what)) {
    if (number !== 2) continue;
    const size = [...fieldsOf(dim, what)].find((field) => field.number === 1)?.value ?? 0n;
    if (size < 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) throw expected('a known shape', what, `${size}`);
    shape.push(Number(size));
  }
  return shape;
}

function isTrue(attribute: Uint8Array | undefined, what: string): boolean {
  return (
    attribute !== undefined &&
    [...fieldsOf(attribute, what)].some(({ number, value }) => number === BOOL && value !== 0n)
  );
}

function lastField(bytes: Uint8Array, wanted: number, what: string): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (const { number, bytes: part } of fieldsOf(bytes, what)) if (number === wanted) found = part;
  return found;
}
