/** What a TensorFlow SavedModel says of itself, without TensorFlow and without its weights. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expected } from '../../errors.js';
import { sha256File } from '../digest.js';
import { exists } from '../exists.js';
import { allocate, type InputFile, readExactly, withInput } from '../input.js';
import { fieldsOf, fileFields, type ReadField, text } from './protobuf-reader.js';

export interface TensorInfo {
  /** Such as `x:0`. */
  name: string;
  /** TensorFlow's DataType. */
  dtype: number;
  /** -1 is any size; undefined where not even the number of dimensions is known. */
  shape?: number[];
}

export interface Signature {
  inputs: Record<string, TensorInfo>;
  outputs: Record<string, TensorInfo>;
}

/** One of the graphs of a SavedModel. */
export interface MetaGraph {
  tags: string[];
  signatures: Record<string, Signature>;
  /** Whether the graph knows how to restore its variables; modules in TF1 Hub's format leave that to the caller. */
  restores: boolean;
  /** Where it stands in saved_model.pb. */
  start: number;
  end: number;
}

/** Fields of SavedModel, MetaGraphDef, MetaInfoDef, SignatureDef, TensorInfo and TensorShapeProto. */
const META_GRAPH = 2;
const [META_INFO, SAVER, SIGNATURE] = [1, 3, 5];
const TAG = 4;

export const modelFile = (dir: string) => join(dir, 'saved_model.pb');

/** @throws UserError when there is no SavedModel in the folder, or a broken one. */
export async function readMetaGraphs(dir: string): Promise<MetaGraph[]> {
  const path = modelFile(dir);
  if (!(await exists(path))) {
    const found = (await exists(dir)) ? 'no saved_model.pb in it' : 'no such folder';
    throw expected('a SavedModel', dir, found, 'name the folder that holds saved_model.pb');
  }
  return withInput(path, 'a SavedModel', async (file) => {
    const graphs = (await fileFields(file, path, 0, file.size)).filter(({ number }) => number === META_GRAPH);
    return Promise.all(graphs.map((graph) => readMetaGraph(file, path, graph)));
  });
}

/** The bytes of one graph's MetaGraphDef. */
export async function metaGraphBytes(dir: string, { start, end }: MetaGraph): Promise<Uint8Array> {
  const path = modelFile(dir);
  return withInput(path, 'a SavedModel', (file) => bytesAt(file, path, { start, end }));
}

/** SHA-256 over the graphs and the variables, each file by its name and digest. */
export async function savedModelDigest(dir: string): Promise<string> {
  const hash = createHash('sha256');
  const variables = (await readdir(join(dir, 'variables')).catch(() => [])).sort();
  for (const file of ['saved_model.pb', ...variables.map((name) => join('variables', name))]) {
    hash.update(`${file}\0${await sha256File(join(dir, file))}\0`);
  }
  return hash.digest('hex');
}

async function readMetaGraph(file: InputFile, path: string, { start, end }: ReadField): Promise<MetaGraph> {
  const graph: MetaGraph = { tags: [], signatures: {}, restores: false, start, end };
  for (const field of await fileFields(file, path, start, end)) {
    if (field.number === SAVER) graph.restores = field.end > field.start;
    if (field.number === META_INFO) {
      for (const { number, bytes } of fieldsOf(await bytesAt(file, path, field), path))
        if (number === TAG) graph.tags.push(text(bytes));
    }
    if (field.number === SIGNATURE) {
      const [name, signature] = entry(await bytesAt(file, path, field), path);
      graph.signatures[name] = readSignature(signature, path);
    }
  }
  return graph;
}

function readSignature(bytes: Uint8Array, path: string): Signature {
  const signature: Signature = { inputs: {}, outputs: {} };
  for (const field of fieldsOf(bytes, path)) {
    if (field.number !== 1 && field.number !== 2) continue;
    const [name, info] = entry(field.bytes, path);
    signature[field.number === 1 ? 'inputs' : 'outputs'][name] = readTensorInfo(info, path);
  }
  return signature;
}

function readTensorInfo(bytes: Uint8Array, path: string): TensorInfo {
  const info: TensorInfo = { name: '', dtype: 0 };
  for (const { number, value, bytes: part } of fieldsOf(bytes, path)) {
    if (number === 1) info.name = text(part);
    if (number === 2) info.dtype = Number(value);
    if (number === 3) info.shape = readShape(part, path);
  }
  return info;
}

function readShape(bytes: Uint8Array, path: string): number[] | undefined {
  const shape: number[] = [];
  for (const { number, value, bytes: dim } of fieldsOf(bytes, path)) {
    if (number === 3 && value !== 0n) return undefined;
    if (number === 2) shape.push(Number([...fieldsOf(dim, path)].find((field) => field.number === 1)?.value ?? 0n));
  }
  return shape;
}

/** A map's entry: its key, and the message that is its value. */
function entry(bytes: Uint8Array, path: string): [string, Uint8Array] {
  let [key, value] = ['', new Uint8Array()];
  for (const { number, bytes: part } of fieldsOf(bytes, path)) {
    if (number === 1) key = text(part);
    if (number === 2) value = part as Uint8Array<ArrayBuffer>;
  }
  return [key, value];
}

async function bytesAt({ handle }: InputFile, path: string, { start, end }: Pick<ReadField, 'start' | 'end'>) {
  const bytes = new Uint8Array(allocate(end - start, path));
  await readExactly(handle, bytes, start, path);
  return bytes;
}
