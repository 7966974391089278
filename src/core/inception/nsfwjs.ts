/**
 * The InceptionV3 that the npm package nsfwjs carries: trained on ImageNet, then on five kinds of pictures. It is not
 * the network of 2015, but it is real weights that install by a name. Its layers have Keras's numbers, which follow the
 * order of the network.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { sameShape, size } from '../backend/tensor.js';
import type { VariableValues } from '../backend/variables.js';
import { expected } from '../errors.js';
import { digestOf, foldBatchNorm, networkVariables } from './weights.js';

interface QuantizedTensor {
  name: string;
  shape: number[];
  /** value = min + scale · byte */
  quantization: { min: number; scale: number; dtype: string };
}

interface Model {
  modelJson(): Promise<{ default: { weightsManifest: { paths: string[]; weights: QuantizedTensor[] }[] } }>;
}

/** Its variables: those of the network of 2015 without the classifier. */
export const nsfwjsVariables = () => networkVariables().filter(({ name }) => !name.startsWith('fc/'));

/** `dir` is the package's folder, such as node_modules/nsfwjs. */
export async function readNsfwjs(dir: string): Promise<{ values: VariableValues; digest: string }> {
  const [{ paths, weights }] = (await loadModel(dir).modelJson()).default.weightsManifest;
  const bytes = Buffer.concat(
    await Promise.all(paths.map((path) => readShard(join(dir, 'dist/models/inception_v3', `${path}.min.js`)))),
  );
  const wanted = weights.reduce((sum, { shape }) => sum + size(shape), 0);
  if (bytes.length !== wanted)
    throw expected(`${wanted} bytes of weights`, dir, `${bytes.length}`, 'install nsfwjs anew');
  const found = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  let at = 0;
  for (const {
    name,
    shape,
    quantization: { min, scale },
  } of weights) {
    const data = new Float32Array(size(shape));
    for (let i = 0; i < data.length; i++) data[i] = min + scale * bytes[at++];
    found.set(name, { shape, data });
  }
  const tensors: VariableValues = new Map();
  const kernels = nsfwjsVariables().filter(({ name }) => name.endsWith('/kernel'));
  kernels.forEach(({ name, shape }, index) => {
    const module = name.slice(0, -'/kernel'.length);
    const take = (layer: string, takenShape: readonly number[]) => {
      const tensor = found.get(layer);
      if (!tensor || !sameShape(tensor.shape, takenShape)) {
        throw expected(
          `${layer} of [${takenShape}]`,
          dir,
          tensor ? `[${tensor.shape}]` : 'none',
          'install nsfwjs 4.4.0',
        );
      }
      return tensor;
    };
    const norm = `batch_normalization_${index + 1}`;
    const outputs = shape.slice(3);
    tensors.set(name, take(`conv2d_${index + 1}/kernel`, shape));
    tensors.set(`${module}/scale`, { shape: outputs, data: new Float32Array(outputs[0]).fill(1) });
    tensors.set(`${module}/offset`, take(`${norm}/beta`, outputs));
    tensors.set(`${module}/mean`, take(`${norm}/moving_mean`, outputs));
    tensors.set(`${module}/variance`, take(`${norm}/moving_variance`, outputs));
  });
  return { values: foldBatchNorm(tensors, nsfwjsVariables()), digest: digestOf(tensors) };
}

/** A shard is a script around one string in base64. It is read as text: as a module it would take minutes to load. */
async function readShard(path: string): Promise<Buffer> {
  const script = await readFile(path, 'latin1').catch(() => '');
  const strings = script.split(/["'`]/);
  const base64 = strings.reduce((longest, text) => (text.length > longest.length ? text : longest), '');
  if (base64.length < 1000)
    throw expected('a string in base64', path, script === '' ? 'no such file' : 'none', 'install nsfwjs 4.4.0');
  return Buffer.from(base64, 'base64');
}

function loadModel(dir: string): Model {
  try {
    const load = createRequire(join(resolve(dir), 'package.json'));
    return (load('nsfwjs/models/inception_v3') as { InceptionV3Model: Model }).InceptionV3Model;
  } catch (error) {
    const found = (error as Error).message.split('\n')[0];
    const hint =
      'npm install --ignore-scripts --legacy-peer-deps nsfwjs@4.4.0, then --extractor nsfwjs:node_modules/nsfwjs';
    throw expected('the npm package nsfwjs', dir, found, hint);
  }
}
