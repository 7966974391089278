import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import type { GraphNode } from '../../../src/core/backend/graph/graph.js';
import { graphDef } from '../../../src/core/backend/graph/graph-def.js';
import { inceptionExtractor } from '../../../src/core/evaluation/fid/extractors/inception-extractor.js';
import type { NamedArray } from '../../../src/core/formats/arrays.js';
import { readSafetensors, writeSafetensors } from '../../../src/core/formats/safetensors.js';
import { PYTORCH, TENSORFLOW } from '../../../src/core/inception/names.js';
import { arrange, networkVariables, readInceptionWeights, tensorShapes } from '../../../src/core/inception/weights.js';
import { fixture } from '../../paths.js';
import { contiguous, torchFile } from '../formats/pytorch/torch-file.js';
import { images, syntheticWeights, writeSyntheticWeights } from './synthetic.js';

const { tensors: references } = await readSafetensors(fixture('inception/reference.safetensors'));
const names = JSON.parse(readFileSync(fixture('inception/names.json'), 'utf8')) as {
  torch: Record<string, number[]>;
  scopes: Record<string, string>;
};
const dir = t.testdir();
const weights = await writeSyntheticWeights(dir);

/** Of the largest value: PyTorch's arithmetic is in doubles here. */
const TOLERANCE = 1e-4;

function close(t: Test, got: Float32Array, wanted: Float32Array, what: string) {
  const largest = wanted.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(got[i] - wanted[i]) / largest);
  t.ok(worst <= TOLERANCE, `${what}: ${worst}`);
}

t.test('94 convolutions, 472 tensors, and the numbers of floats that are published', async (t) => {
  const shapes = tensorShapes();
  t.equal(shapes.size, 472);
  t.equal(networkVariables().length, 2 * 94 + 2);
  const total = [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  t.equal(total, 23_885_392);
  t.same([...shapes.keys()].map(PYTORCH.nameOf).sort(), Object.keys(names.torch).sort());
  for (const [module, scope] of Object.entries(names.scopes)) {
    t.equal(TENSORFLOW.nameOf(`${module.replace('.', '/')}/kernel`), `${scope}/conv2d_params`);
  }
});

t.test("features and class scores are PyTorch's, in every mode, whatever the batch", async (t) => {
  const engine = await startEngine();
  const { data: bias } = syntheticWeights().get('fc/bias')!;
  for (const [name, mode, shape] of [
    ['tf', 'tf', [40, 56, 3]],
    ['clean', 'clean', [40, 56, 3]],
    ['pytorch', 'pytorch', [40, 56, 3]],
    ['grey', 'tf', [299, 299, 1]],
  ] as const) {
    const extractor = await inceptionExtractor(engine, { weights, mode, batchSize: 8 });
    t.match(extractor, { name: 'inception', mode, width: 2048, digest: /^[0-9a-f]{64}$/, label: new RegExp(mode) });
    // The image comes last of 2, in a call that is padded to 8; or alone, in a call of one.
    const before = name === 'tf' ? 1 : 0;
    const [h, w, c] = shape;
    const batch = new Uint8Array((before + 1) * h * w * c);
    batch.set(images('others', [before, h, w, c]));
    batch.set(images(`network/${name}`, shape), before * h * w * c);
    const { features, logits, unbiasedLogits } = extractor.extract(batch, [before + 1, h, w, c]);
    t.same(
      [features.length, logits!.length, unbiasedLogits!.length],
      [2048, 1008, 1008].map((n) => n * (before + 1)),
    );
    const wanted = (output: string) => references.get(`${name}/${output}`)!.data as Float32Array;
    close(t, features.subarray(before * 2048), wanted('features'), `${name}: features`);
    const own = logits!.subarray(before * 1008);
    close(t, own, wanted('logits'), `${name}: logits`);
    close(
      t,
      unbiasedLogits!.slice(before * 1008).map((value, i) => value + bias[i]),
      own,
      `${name}: without bias`,
    );
    extractor.close();
  }
});

t.test('the same weights from every kind of file, bit by bit', async (t) => {
  const ours = await readInceptionWeights(weights);
  t.match(ours.file, { format: 'safetensors', naming: 'bigbigan' });
  const synthetic = syntheticWeights();
  const torch = torchTensors();
  const pickled = new Map([...torch].map(([name, { shape, data }]) => [name, contiguous(shape, data)]));
  const files: [string, string, (path: string) => Promise<void>][] = [
    ['pytorch', 'torch.safetensors', (path) => writeSafetensors(path, torch)],
    ['pytorch', 'legacy.pth', (path) => writeFile(path, torchFile(pickled, 'legacy'))],
    ['pytorch', 'zip.pth', (path) => writeFile(path, torchFile(pickled, 'zip'))],
    ['tensorflow', 'graph.pb', (path) => writeFile(path, graphDef(constants()))],
  ];
  for (const [naming, name, write] of files) {
    await write(join(dir, name));
    const { tensors, digest, file } = await readInceptionWeights(join(dir, name));
    t.equal(digest, ours.digest, name);
    t.equal(file.naming, naming, name);
    for (const [key, { data }] of tensors) if (!same(data, synthetic.get(key)!.data)) t.fail(`${key} of ${name}`);
  }
});

const same = (a: Float32Array, b: Float32Array) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

/** As in the frozen graph. */
function constants(): GraphNode[] {
  return [...syntheticWeights()].map(([name, { shape, data }]) => ({
    name: TENSORFLOW.nameOf(name),
    op: 'Const',
    attributes: {},
    inputs: [],
    controls: [],
    outputs: [{ shape, dtype: 'float32' }],
    value: data,
  }));
}

/** As PyTorch has them: kernels [out, in, height, width]. */
function torchTensors() {
  return new Map(
    [...syntheticWeights()].map(([name, { shape, data }]) => {
      const [theirName, theirShape] = [PYTORCH.nameOf(name), names.torch[PYTORCH.nameOf(name)]];
      if (shape.length === 1) return [theirName, { shape: theirShape, data }];
      const [inputs, outputs] = shape.slice(-2);
      const places = data.length / (inputs * outputs);
      const turned = new Float32Array(data.length);
      for (let i = 0; i < data.length; i++) {
        const [place, input, output] = [
          Math.floor(i / (inputs * outputs)),
          Math.floor(i / outputs) % inputs,
          i % outputs,
        ];
        turned[(output * inputs + input) * places + place] = data[i];
      }
      return [theirName, { shape: theirShape, data: turned }];
    }),
  );
}

t.test('weights of another network, or broken ones, are refused', async (t) => {
  const attempt = (change: (tensors: Map<string, NamedArray>) => void, message: RegExp) => {
    const tensors = new Map(
      [...syntheticWeights()].map(([name, { shape, data }]) => [name, { dtype: 'float32', shape: [...shape], data }]),
    );
    change(tensors as Map<string, NamedArray>);
    t.throws(() => arrange(tensors as Map<string, NamedArray>, 'x'), { name: 'UserError', message });
  };
  const first =
    /Conv2d_1a_3x3\/kernel or Conv2d_1a_3x3\.conv\.weight or conv\/conv2d_params\) for x, got a file of 471 tensors/;
  attempt((tensors) => tensors.delete('Conv2d_1a_3x3/kernel'), first);
  attempt((tensors) => tensors.delete('fc/bias'), /expected a tensor for fc\/bias in x, got none/);
  attempt((tensors) => tensors.set('fc/bias', floats(1000)), /the shape \[1008\] for fc\/bias in x, got \[1000\]/);
  attempt(
    (tensors) => (tensors.get('Mixed_7c/branch_pool/mean')!.data[3] = NaN),
    /finite numbers for Mixed_7c\/branch_pool\/mean in x, got NaN/,
  );
  attempt((tensors) => (tensors.get('Mixed_5b/branch1x1/variance')!.data[3] = -1), /variances of 0 or more/);
  await t.rejects(readInceptionWeights(fixture('inception/zip.pth')), {
    message: /a file of 7 tensors, such as kernel/,
  });
});

const floats = (n: number): NamedArray => ({ dtype: 'float32', shape: [n], data: new Float32Array(n) });
