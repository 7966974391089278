/**
 * A model from a SavedModel with the signatures of DeepMind's published BigBiGAN modules, as `export` writes it too.
 */
import type { Engine } from '../backend/engine.js';
import type { Feed, Session } from '../backend/graph/session.js';
import { loadGraph } from '../backend/load-graph.js';
import { TF_DTYPE } from '../backend/tensor.js';
import { expected } from '../errors.js';
import {
  type MetaGraph,
  readMetaGraphs,
  savedModelDigest,
  type TensorInfo,
} from '../formats/tensorflow/saved-model.js';
import { type Call, callsFor, rowsOf } from '../model/calls.js';
import { type EncodedBatch, type ImageShape, type ModelShapes, noEncoder } from '../model/inference.js';
import { floatsFromPixels, toPixels } from '../model/pixels.js';
import { exportedDistributions, PROVENANCE } from './export-provenance.js';
import type { LoadedModel } from './model.js';
import { NO_MODEL } from './provenance.js';

/** Our names of what E gives, and theirs. */
const ENCODINGS: Record<keyof EncodedBatch, string> = {
  avepool: 'avepool_feat',
  bn_crelu: 'bn_crelu_feat',
  z_mean: 'z_mean',
  z_std: 'z_stdev',
};
const NAMES = Object.keys(ENCODINGS) as (keyof EncodedBatch)[];

/** Tensors by name. */
interface EncodeSignature {
  images: TensorInfo;
  outputs: TensorInfo[];
}

interface GenerateSignature {
  z: TensorInfo;
  /** Labels, where there are several. */
  y?: TensorInfo;
  images: TensorInfo;
}

interface SavedModelDescription {
  graph: MetaGraph;
  shapes: ModelShapes;
  widths: Record<keyof EncodedBatch, number>;
  /** Absent where there is no E. */
  encode?: EncodeSignature;
  generate: GenerateSignature;
}

/**
 * What the signatures say, and of an exported model what its provenance adds, without the engine.
 * @throws UserError when there are none of these names, or of other shapes
 */
export async function describeSavedModel(dir: string): Promise<SavedModelDescription> {
  const graph = chooseGraph(await readMetaGraphs(dir), dir);
  const distributions = await exportedDistributions(dir);
  const generate = generateSignature(graph, dir, distributions.classes);
  const encode = graph.signatures.encode && encodeSignature(graph, dir);
  const output = imageShape(generate.images, `output default of generate in ${dir}`);
  const shapes: ModelShapes = {
    input: encode ? imageShape(encode.images, `input x of encode in ${dir}`) : output,
    output,
    latent: width(generate.z, `input z of generate in ${dir}`),
    ...distributions,
  };
  const rows = NAMES.map((name, i) =>
    encode ? width(encode.outputs[i], `output ${ENCODINGS[name]} of encode in ${dir}`) : 0,
  );
  const widths = Object.fromEntries(NAMES.map((name, i) => [name, rows[i]])) as Record<keyof EncodedBatch, number>;
  if (encode && (widths.z_mean !== shapes.latent || widths.z_std !== shapes.latent)) {
    throw expected(
      `${shapes.latent} latents from encode, as generate takes`,
      dir,
      `${widths.z_mean} and ${widths.z_std}`,
    );
  }
  return { graph, shapes, widths, encode, generate };
}

function encodeSignature(graph: MetaGraph, dir: string): EncodeSignature {
  return {
    images: findTensor(graph, dir, 'encode', 'inputs', 'x'),
    outputs: NAMES.map((name) => findTensor(graph, dir, 'encode', 'outputs', ENCODINGS[name])),
  };
}

function generateSignature(graph: MetaGraph, dir: string, classes: number): GenerateSignature {
  const z = findTensor(graph, dir, 'generate', 'inputs', 'z');
  const y = classes > 1 ? findTensor(graph, dir, 'generate', 'inputs', 'y', 'int32') : undefined;
  const images = findTensor(graph, dir, 'generate', 'outputs', 'default');
  const others = Object.keys(graph.signatures.generate.inputs).filter((name) => name !== 'z' && !(y && name === 'y'));
  if (others.length > 0) {
    const inputs = y ? 'inputs z and y alone' : 'the input z alone';
    throw expected(
      inputs,
      `the signature generate of ${dir}`,
      `also ${others.join(', ')}`,
      `labels need the ${PROVENANCE} that bigbigan export writes`,
    );
  }
  return { z, y, images };
}

/** @param batchSize how many images or latents go through the graph at a call, or one */
export async function openSavedModel(engine: Engine, dir: string, batchSize: number): Promise<LoadedModel> {
  const { graph, shapes, widths, encode, generate } = await describeSavedModel(dir);
  const session = await loadGraph(engine, dir, graph);
  const digest = await savedModelDigest(dir);
  const pixels = Object.values(shapes.output).reduce((product, n) => product * n);
  return {
    ...shapes,
    widths,
    encode(images, count) {
      if (!encode) throw noEncoder();
      const values = floatsFromPixels(images);
      const encoded = NAMES.map((name) => new Float32Array(count * widths[name]));
      for (const call of callsFor(count, batchSize)) {
        const fetched = run(session, dir, [feed(encode.images, call, values)], encode.outputs);
        NAMES.forEach((name, i) => keep(encoded[i], fetched[i], call, widths[name], `${ENCODINGS[name]} of ${dir}`));
      }
      return Object.fromEntries(NAMES.map((name, i) => [name, encoded[i]])) as unknown as EncodedBatch;
    },
    generate(latents, count, labels = new Int32Array(count)) {
      const images = new Float32Array(count * pixels);
      for (const call of callsFor(count, batchSize)) {
        const feeds = [feed(generate.z, call, latents), ...(generate.y ? [feed(generate.y, call, labels)] : [])];
        const [made] = run(session, dir, feeds, [generate.images]);
        keep(images, made, call, pixels, `the images of ${dir}`);
      }
      return toPixels(images);
    },
    provenance: { ...NO_MODEL, model: dir, model_digest: digest },
    digest,
    dispose: session.close,
  };
}

/** The rows of a call for an input of any number of rows. */
function feed({ name, shape }: TensorInfo, call: Call, values: Float32Array | Int32Array): Feed {
  const row = shape!.slice(1);
  const width = row.reduce((product, n) => product * n, 1);
  return {
    node: name,
    shape: [call.size, ...row],
    dtype: values instanceof Int32Array ? 'int32' : 'float32',
    values: rowsOf(values, call, width),
  };
}

/** Copies what a call made to its place among all rows. */
function keep(all: Float32Array, made: Float32Array, { first, count, size }: Call, width: number, what: string): void {
  if (made.length !== size * width) throw expected(`${size * width} numbers`, what, `${made.length}`);
  all.set(made.subarray(0, count * width), first * width);
}

/** The graph for serving; TF1 Hub's modules have one without tags, beside one for training. */
function chooseGraph(graphs: readonly MetaGraph[], dir: string): MetaGraph {
  const found =
    graphs.find(({ tags }) => tags.length === 1 && tags[0] === 'serve') ?? graphs.find(({ tags }) => tags.length === 0);
  if (found) return found;
  const sets = graphs.map(({ tags }) => `[${tags.join(', ')}]`).join(' and ');
  throw expected('a graph with the tag serve, or without tags', dir, sets ? `graphs with ${sets}` : 'no graph');
}

function findTensor(
  graph: MetaGraph,
  dir: string,
  signature: string,
  part: 'inputs' | 'outputs',
  name: string,
  dtype: 'float32' | 'int32' = 'float32',
): TensorInfo {
  const found = graph.signatures[signature];
  if (!found) {
    const others = Object.keys(graph.signatures).filter((key) => !key.startsWith('__'));
    throw expected(
      `a signature ${signature}`,
      dir,
      others.join(', ') || 'none',
      'bigbigan export writes a model that has it',
    );
  }
  const tensor = found[part][name];
  const what = part === 'inputs' ? 'input' : 'output';
  if (!tensor) {
    const names = Object.keys(found[part]).join(', ');
    throw expected(`an ${what} ${name}`, `the signature ${signature} of ${dir}`, names || 'none');
  }
  if (tensor.dtype !== TF_DTYPE[dtype]) {
    throw expected(dtype, `${what} ${name} of ${signature} in ${dir}`, `TensorFlow's type ${tensor.dtype}`);
  }
  return tensor;
}

function imageShape({ shape }: TensorInfo, what: string): ImageShape {
  const [n, height, width, channels] = shape ?? [];
  const square = height === width && height > 0 && (channels === 1 || channels === 3);
  if (shape?.length !== 4 || n !== -1 || !square)
    throw expected('the shape [any, side, side, 1 or 3]', what, shown(shape));
  return { height, width, channels };
}

function width({ shape }: TensorInfo, what: string): number {
  if (shape?.length !== 2 || shape[0] !== -1 || !(shape[1] > 0))
    throw expected('the shape [any, width]', what, shown(shape));
  return shape[1];
}

const shown = (shape?: readonly number[]) =>
  shape ? `[${shape.map((n) => (n < 0 ? 'any' : n)).join(', ')}]` : 'an unknown one';

function run(session: Session, dir: string, feeds: readonly Feed[], fetches: readonly TensorInfo[]): Float32Array[] {
  try {
    return session.run(
      feeds,
      fetches.map(({ name }) => name),
    ) as Float32Array[];
  } catch (error) {
    throw expected('a SavedModel that TensorFlow runs', dir, (error as Error).message.split('\n')[0]);
  }
}
