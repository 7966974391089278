/** The network's weights from a file of any of the forms they are published in. */
import { createHash } from 'node:crypto';
import { createDryExecutor } from '../backend/dry.js';
import { withExecutor } from '../backend/executor.js';
import { sameShape, size } from '../backend/tensor.js';
import { declareOnly, type VariableValues } from '../backend/variables.js';
import { expected } from '../errors.js';
import { bytesOf, type NamedArray } from '../formats/arrays.js';
import { sha256File } from '../formats/digest.js';
import { writeSafetensors } from '../formats/safetensors.js';
import { readTensorFile } from '../formats/tensor-file.js';
import { NAMINGS, type Naming, PARTS } from './names.js';
import { inception, SIDE } from './network.js';
import { publishedName } from './published.js';

/** Added to variances; of the released graph. */
const EPSILON = 1e-3;

export interface InceptionWeights {
  /** By our names, without batch norm, in the order of the network. */
  tensors: VariableValues;
  /** SHA-256 of the tensors, the same whatever file they came in. */
  digest: string;
  file: WeightsFile;
}

export interface WeightsFile {
  path: string;
  format: string;
  /** Whose names its tensors have. */
  naming: string;
  /** SHA-256 of the file. */
  digest: string;
  /** SHA-256 of the file that it was converted from, or its own. */
  source: string;
  /** The published file that it is, or that it was converted from; undefined where its digest is not known here. */
  published?: string;
}

/** Metadata of a converted file: the SHA-256 of the file that it was made from. */
const SOURCE = 'source_sha256';

/** @throws UserError when the file is of another form, or of another network. */
export async function readInceptionWeights(path: string): Promise<InceptionWeights> {
  const { format, tensors: found, metadata } = await readTensorFile(path);
  const { tensors, naming } = arrange(found, path);
  const digest = await sha256File(path);
  const source = metadata[SOURCE] ?? digest;
  return {
    tensors,
    digest: digestOf(tensors),
    file: { path, format, naming, digest, source, published: publishedName(source) },
  };
}

/** Writes weights in our form, which is the quickest to read. Atomic; replaces an existing file. */
export async function writeInceptionWeights(path: string, { tensors, file }: InceptionWeights): Promise<void> {
  await writeSafetensors(path, tensors, { [SOURCE]: file.source });
}

/** Tensors by whichever names, in our names, layout and order; `path` names the file in errors. */
export function arrange(found: Map<string, NamedArray>, path: string): { tensors: VariableValues; naming: string } {
  const wanted = tensorShapes();
  const naming = recognise(found, wanted, path);
  const tensors: VariableValues = new Map();
  for (const [name, shape] of wanted) tensors.set(name, { shape, data: take(found, naming, name, shape, path) });
  return { tensors, naming: naming.name };
}

/** Variables of the network (kernels and biases), with the shapes that they have in it. */
export function networkVariables() {
  const variables = declareOnly();
  withExecutor(createDryExecutor(), () => {
    inception(variables, { id: 0, shape: [1, SIDE, SIDE, 3], dtype: 'float32' });
  });
  return [...variables.specs.values()];
}

/** Tensors of a weights file, by our names. */
export function tensorShapes(): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const { name, shape } of networkVariables()) {
    const module = name.slice(0, name.lastIndexOf('/'));
    if (module === 'fc') shapes.set(name, shape);
    else if (name.endsWith('/kernel'))
      for (const part of PARTS) shapes.set(`${module}/${part}`, part === 'kernel' ? shape : shape.slice(3));
  }
  return shapes;
}

/** Batch norm as part of the convolutions before it: the values of the network's variables. */
export function foldBatchNorm(tensors: VariableValues, variables = networkVariables()): VariableValues {
  const folded: VariableValues = new Map();
  for (const { name } of variables) {
    const module = name.slice(0, name.lastIndexOf('/'));
    if (module === 'fc') folded.set(name, tensors.get(name)!);
    else if (name.endsWith('/kernel')) {
      const [kernel, scale, offset, mean, variance] = PARTS.map((part) => tensors.get(`${module}/${part}`)!);
      const factor = Float64Array.from(scale.data, (value, i) => value / Math.sqrt(variance.data[i] + EPSILON));
      const outputs = factor.length;
      folded.set(name, { shape: kernel.shape, data: kernel.data.map((value, i) => value * factor[i % outputs]) });
      folded.set(`${module}/bias`, {
        shape: offset.shape,
        data: offset.data.map((value, i) => value - mean.data[i] * factor[i]),
      });
    }
  }
  return folded;
}

function recognise(found: Map<string, NamedArray>, wanted: Map<string, unknown>, path: string): Naming {
  const [first] = wanted.keys();
  const naming = NAMINGS.find(({ nameOf }) => found.has(nameOf(first)));
  if (naming) return naming;
  const [some = 'nothing'] = found.keys();
  const names = NAMINGS.map(({ nameOf }) => nameOf(first)).join(' or ');
  throw expected(`the Inception network of 2015 (${names})`, path, `a file of ${found.size} tensors, such as ${some}`);
}

/** A tensor in our layout. */
function take(
  found: Map<string, NamedArray>,
  { nameOf, outputsFirst }: Naming,
  name: string,
  shape: readonly number[],
  path: string,
) {
  const theirName = nameOf(name);
  const what = `${theirName} in ${path}`;
  const tensor = found.get(theirName);
  const matrix = outputsFirst && shape.length > 1;
  const theirShape = matrix ? [...shape.slice(-2).reverse(), ...shape.slice(0, -2)] : shape;
  if (!tensor) throw expected('a tensor', what, 'none', 'the file is of another network, or incomplete');
  if (!sameShape(tensor.shape, theirShape))
    throw expected(`the shape [${theirShape}]`, what, `[${tensor.shape}]`, 'the file is of another network');
  if (!(tensor.data instanceof Float32Array)) throw expected('float32', what, tensor.dtype);
  const bad = tensor.data.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw expected('finite numbers', what, `${bad}`, 'the file is damaged');
  if (name.endsWith('/variance') && tensor.data.some((value) => value < 0))
    throw expected('variances of 0 or more', what, 'a negative one');
  return matrix ? outputsLast(tensor.data, shape) : tensor.data;
}

/** [out, in, ...places] → [...places, in, out] */
function outputsLast(data: Float32Array, shape: readonly number[]): Float32Array {
  const [inputs, outputs] = shape.slice(-2);
  const places = size(shape) / (inputs * outputs);
  const result = new Float32Array(data.length);
  let at = 0;
  for (let place = 0; place < places; place++) {
    for (let input = 0; input < inputs; input++) {
      for (let output = 0; output < outputs; output++) result[at++] = data[(output * inputs + input) * places + place];
    }
  }
  return result;
}

export function digestOf(tensors: VariableValues): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of tensors) hash.update(`${name}\0`).update(bytesOf(data));
  return hash.digest('hex');
}
