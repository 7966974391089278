/** TensorFlow SavedModels: one output of a signature from images. */
import { createRequire } from 'node:module';
import { expected } from '../errors.js';
import type { Engine } from './engine.js';
import { size, TF_DTYPE } from './tensor.js';

export interface SavedModel {
  input: { dtype: 'float32' | 'uint8'; shape: number[] };
  /** float32; -1 is free in the shape. */
  output: { name: string; shape: number[] };
  /** Runs it on a batch of the input's type. */
  run(values: Float32Array | Uint8Array, shape: readonly number[]): { values: Float32Array; shape: number[] };
  close(): void;
}

interface TensorInfo {
  dtype: string;
  tfDtype: string;
  name: string;
  shape: Array<{ getSize(): number }>;
}

interface MetaGraph {
  tags: string[];
  signatureDefs: Record<string, { inputs: Record<string, TensorInfo>; outputs: Record<string, TensorInfo> }>;
}

/** A float32 output of a signature whose one input are images. */
interface ImageOutput {
  /** `OUTPUT` in the usual signature, `SIGNATURE/OUTPUT` in others. */
  name: string;
  usual: boolean;
  input: TensorInfo;
  output: TensorInfo;
}

const SIGNATURE = 'serving_default';

/**
 * @param wanted an output of `serving_default`, or `SIGNATURE/OUTPUT`; may be left out where `serving_default`, or the
 * whole model, has only one
 * @throws UserError when the folder holds no such model, and where there is a choice, listing it
 */
export async function loadSavedModel(engine: Engine, dir: string, wanted?: string): Promise<SavedModel> {
  const { tags, signatureDefs } = await readMetaGraph(dir);
  const { name, input, output } = choose(imageOutputs(signatureDefs), signatureDefs, dir, wanted);
  const dtype = input.tfDtype === 'DT_UINT8' ? 'uint8' : 'float32';
  const session = attempt(dir, () => engine.binding.loadSavedModel(dir, tags.join(',')));
  return {
    input: { dtype, shape: sizes(input) },
    output: { name, shape: sizes(output) },
    run(values, shape) {
      const images = engine.binding.createTensor([...shape], TF_DTYPE[dtype], values);
      try {
        const [result] = engine.binding.runSavedModel(session, [images], input.name, output.name);
        const data = engine.binding.tensorDataSync(result.id) as Float32Array;
        engine.binding.deleteTensor(result.id);
        if (data.length !== size(result.shape)) throw new Error(`${name}: ${data.length} values for [${result.shape}]`);
        return { values: data, shape: result.shape };
      } finally {
        engine.binding.deleteTensor(images);
      }
    },
    close: () => engine.binding.deleteSavedModel(session),
  };
}

function imageOutputs(signatures: MetaGraph['signatureDefs']): ImageOutput[] {
  return Object.entries(signatures).flatMap(([signature, { inputs, outputs }]) => {
    const [input, ...others] = Object.values(inputs);
    if (!input || others.length > 0 || !takesImages(input)) return [];
    const usual = signature === SIGNATURE;
    const floats = Object.entries(outputs).filter(([, output]) => output.dtype === 'float32');
    return floats.map(([name, output]) => ({ name: usual ? name : `${signature}/${name}`, usual, input, output }));
  });
}

/** [any, height, width, channels] of float32 or uint8 */
function takesImages(input: TensorInfo): boolean {
  const shape = sizes(input);
  return (input.dtype === 'float32' || input.tfDtype === 'DT_UINT8') && shape.length === 4 && shape[0] === -1;
}

function choose(all: ImageOutput[], signatures: MetaGraph['signatureDefs'], dir: string, wanted?: string): ImageOutput {
  if (all.length === 0) {
    const found = Object.entries(signatures).map(
      ([name, { inputs }]) =>
        `${name} of ${Object.values(inputs)
          .map((input) => `${input.tfDtype} [${sizes(input)}]`)
          .join(' and ')}`,
    );
    throw expected(
      'a signature with one input [any, height, width, channels] of float32 or uint8 and a float32 output',
      dir,
      found.join('; ') || 'none',
    );
  }
  const named = all.filter(
    ({ name, usual }) => wanted === undefined || wanted === name || (usual && wanted === `${SIGNATURE}/${name}`),
  );
  const usual = named.filter((each) => each.usual);
  const [only, ...others] = usual.length > 0 ? usual : named;
  if (only && others.length === 0) return only;
  const names = all.map(({ name }) => name);
  throw expected(
    `one of the float outputs ${names.join(', ')}`,
    dir,
    wanted ?? 'no choice',
    `write saved-model:${dir}:${names[0]}`,
  );
}

async function readMetaGraph(dir: string): Promise<MetaGraph> {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as {
    node: { getMetaGraphsFromSavedModel(path: string): Promise<MetaGraph[]> };
  };
  try {
    const [graph] = await tf.node.getMetaGraphsFromSavedModel(dir);
    if (graph) return graph;
  } catch (error) {
    throw expected('a SavedModel', dir, (error as Error).message, 'name the folder that holds saved_model.pb');
  }
  throw expected('a SavedModel', dir, 'one without graphs');
}

function sizes({ shape }: TensorInfo): number[] {
  return shape.map((dim) => dim.getSize());
}

function attempt<T>(dir: string, load: () => T): T {
  try {
    return load();
  } catch (error) {
    throw expected('a SavedModel that TensorFlow loads', dir, (error as Error).message.split('\n')[0]);
  }
}
