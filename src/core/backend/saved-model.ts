/** TensorFlow SavedModels: one signature from images to named outputs. */
import { createRequire } from 'node:module';
import { expected } from '../errors.js';
import type { Engine } from './engine.js';
import { TF_DTYPE, size } from './tensor.js';

export interface SavedModel {
  input: { dtype: 'float32' | 'uint8'; shape: number[] };
  /** Shape of each float32 output; -1 is free. */
  outputs: Record<string, number[]>;
  /** Runs one output on a batch of the input's type. */
  run(values: Float32Array | Uint8Array, shape: readonly number[], output: string): { values: Float32Array; shape: number[] };
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

const SIGNATURE = 'serving_default';

/** @throws UserError when the folder holds no model of one image input with a free batch size. */
export async function loadSavedModel(engine: Engine, dir: string): Promise<SavedModel> {
  const { tags, signatureDefs } = await readMetaGraph(dir);
  const signature = signatureDefs[SIGNATURE];
  if (!signature) {
    throw expected(`a signature ${SIGNATURE}`, dir, Object.keys(signatureDefs).join(', ') || 'none', 'export the model with one');
  }
  const inputs = Object.values(signature.inputs);
  if (inputs.length !== 1) throw expected('one input', `${SIGNATURE} of ${dir}`, `${inputs.length}`);
  const [input] = inputs;
  const inputShape = sizes(input);
  if (input.dtype !== 'float32' && input.tfDtype !== 'DT_UINT8') {
    throw expected('a float32 or uint8 input', `${SIGNATURE} of ${dir}`, input.tfDtype);
  }
  if (inputShape.length !== 4 || inputShape[0] !== -1) {
    throw expected('an input of shape [any, height, width, channels]', `${SIGNATURE} of ${dir}`, `[${inputShape}]`);
  }
  const floats = Object.entries(signature.outputs).filter(([, output]) => output.dtype === 'float32');
  const dtype = input.tfDtype === 'DT_UINT8' ? 'uint8' : 'float32';
  const session = attempt(dir, () => engine.binding.loadSavedModel(dir, tags.join(',')));

  return {
    input: { dtype, shape: inputShape },
    outputs: Object.fromEntries(floats.map(([name, output]) => [name, sizes(output)])),
    run(values, shape, output) {
      const images = engine.binding.createTensor([...shape], TF_DTYPE[dtype], values);
      try {
        const [result] = engine.binding.runSavedModel(session, [images], input.name, signature.outputs[output].name);
        const data = engine.binding.tensorDataSync(result.id) as Float32Array;
        engine.binding.deleteTensor(result.id);
        if (data.length !== size(result.shape)) throw new Error(`${output}: ${data.length} values for [${result.shape}]`);
        return { values: data, shape: result.shape };
      } finally {
        engine.binding.deleteTensor(images);
      }
    },
    close: () => engine.binding.deleteSavedModel(session),
  };
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
