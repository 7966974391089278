/** A model in the form of the published modules against what Python's TensorFlow computes with it. */
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { shrink } from '../../../src/core/data/shrink.js';
import { readNpy } from '../../../src/core/formats/npy/npy.js';
import {
  bytesField,
  mapField,
  message,
  stringField,
  varintField,
} from '../../../src/core/formats/tensorflow/protobuf.js';
import { readMetaGraphs } from '../../../src/core/formats/tensorflow/saved-model.js';
import { describeSavedModel, openSavedModel } from '../../../src/core/trained/open-saved-model.js';
import { fixture } from '../../paths.js';

const hub = fixture('models/hub-module');
const read = async (name: string) => (await readNpy(fixture(`models/expected/${name}.npy`))).data;
const expected = async (name: string) => (await read(name)) as Float32Array;
const images = async (name: string) => (await read(name)) as Uint8Array;
const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(b, (value, i) => Math.abs(a[i] - value)));

t.test('the graph for inference is chosen, and its shapes read', async (t) => {
  t.same(
    (await readMetaGraphs(hub)).map(({ tags, restores }) => ({ tags, restores })),
    [
      { tags: ['train'], restores: false },
      { tags: [], restores: false },
    ],
  );
  const { shapes, widths } = await describeSavedModel(hub);
  t.same(shapes, {
    input: { height: 16, width: 16, channels: 3 },
    output: { height: 8, width: 8, channels: 3 },
    latent: 4,
    prior: 'normal',
    classes: 1,
  });
  t.same(widths, { avepool: 6, bn_crelu: 12, z_mean: 4, z_std: 4 });
});

t.test('its variables are restored, and it computes what Python computes', async (t) => {
  const engine = await startEngine();
  const model = await openSavedModel(engine, hub, 4);
  const [x, z] = [await images('x'), await expected('z')];
  for (const n of [5, 1]) {
    const encoded = model.encode(x.subarray(0, n * 768), n);
    t.equal(encoded.avepool.length, n * 6);
    t.ok(worst(await expected('avepool_feat'), encoded.avepool) < 1e-6);
    t.ok(worst(await expected('bn_crelu_feat'), encoded.bn_crelu) < 1e-5);
    t.ok(worst(await expected('z_mean'), encoded.z_mean) < 1e-5);
    t.ok(worst(await expected('z_stdev'), encoded.z_std) < 1e-5);
  }
  const [three, five] = [3, 5].map((n) => model.encode(x.subarray(0, n * 768), n));
  t.same(three.avepool, five.avepool.subarray(0, 3 * 6), 'a row is the same whatever is beside it');
  t.ok(worst(model.generate(z, 3), await images('generated')) <= 1);
  t.equal(model.takeGeneratorStatistics, undefined);
  t.equal(model.provenance.model_digest, model.digest);
  model.dispose();
});

t.test('images are shrunk as NumPy shrinks them', async (t) => {
  t.same(shrink(await images('x'), { height: 16, width: 16, channels: 3 }, 2), await images('halved'));
});

/** saved_model.pb with one graph, which has no nodes. */
function modelOf(
  tags: string[],
  signatures: Record<string, { inputs: Record<string, number[]>; outputs: Record<string, number[]> }>,
  dtype = 1,
): string {
  const infos = (field: number, tensors: Record<string, number[]>) =>
    Object.entries(tensors).map(([key, shape]) => {
      const shapeProto = message(shape.map((size) => bytesField(2, message([varintField(1, size)]))));
      return mapField(
        field,
        key,
        message([stringField(1, `${key}:0`), varintField(2, dtype), bytesField(3, shapeProto)]),
      );
    });
  const graph = message([
    bytesField(1, message(tags.map((tag) => stringField(4, tag)))),
    ...Object.entries(signatures).map(([name, { inputs, outputs }]) =>
      mapField(5, name, message([...infos(1, inputs), ...infos(2, outputs)])),
    ),
  ]);
  return folderOf(message([varintField(1, 1), bytesField(2, graph)]));
}

function folderOf(bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'bigbigan-test-'));
  writeFileSync(join(folder, 'saved_model.pb'), bytes);
  return folder;
}

t.test('what does not fit is named', async (t) => {
  const generate = { inputs: { z: [-1, 4] }, outputs: { default: [-1, 8, 8, 3] } };
  const encode = {
    inputs: { x: [-1, 16, 16, 3] },
    outputs: { z_mean: [-1, 4], z_stdev: [-1, 4], avepool_feat: [-1, 6], bn_crelu_feat: [-1, 12] },
  };
  const fine = { generate, encode };
  await t.resolves(describeSavedModel(modelOf(['serve'], fine)));
  const { shapes, encode: none } = await describeSavedModel(modelOf(['serve'], { generate }));
  t.same([shapes.input, none], [shapes.output, undefined], 'a model without an encoder');
  const cases: [string, RegExp][] = [
    [modelOf(['train'], fine), /expected a graph with the tag serve, or without tags .* got graphs with \[train\]/],
    [modelOf([], { encode }), /expected a signature generate .* got encode$/],
    [fixture('metrics/saved-model'), /expected a signature generate .* got serving_default$/],
    [
      modelOf([], { encode, generate: { ...generate, inputs: { z: [-1, 4], y: [-1] } } }),
      /expected the input z alone .* got also y/,
    ],
    [
      modelOf([], { generate, encode: { inputs: { images: [-1, 16, 16, 3] }, outputs: {} } }),
      /expected an input x .* got images/,
    ],
    [
      modelOf([], { encode, generate: { ...generate, outputs: { samples: [-1, 8, 8, 3] } } }),
      /expected an output default .* got samples/,
    ],
    [
      modelOf([], { encode, generate: { ...generate, inputs: { z: [7, 4] } } }),
      /expected the shape \[any, width\] for input z .* got \[7, 4\]/,
    ],
    [
      modelOf([], { generate, encode: { ...encode, inputs: { x: [-1, 16, -1, 3] } } }),
      /expected the shape \[any, side, side, 1 or 3\] .* got \[any, 16, any, 3\]/,
    ],
    [
      modelOf([], { encode, generate: { ...generate, inputs: { z: [-1, 5] } } }),
      /expected 5 latents from encode, .* got 4 and 4/,
    ],
    [modelOf([], fine, 3), /expected float32 for input z of generate .* got TensorFlow's type 3/],
    [
      folderOf(readFileSync(join(hub, 'saved_model.pb')).subarray(0, 20_000)),
      /expected protocol buffers .* got a field of \d+ bytes where \d+ are left/,
    ],
    [folderOf(Buffer.from('not a model')), /expected protocol buffers/],
    [folderOf(new Uint8Array()), /expected a graph .* got no graph/],
    [mkdtempSync(join(tmpdir(), 'bigbigan-test-')), /expected a SavedModel .* got no saved_model\.pb in it/],
    ['/nowhere', /expected a SavedModel for \/nowhere, got no such folder/],
  ];
  for (const [dir, message] of cases) await t.rejects(describeSavedModel(dir), { name: 'UserError', message });
});

t.test('a model without its checkpoint fails with words', async (t) => {
  const engine = await startEngine();
  const folder = mkdtempSync(join(tmpdir(), 'bigbigan-test-'));
  copyFileSync(join(hub, 'saved_model.pb'), join(folder, 'saved_model.pb'));
  const model = await openSavedModel(engine, folder, 4);
  t.throws(() => model.generate(new Float32Array(4), 1), {
    name: 'UserError',
    message: /expected a SavedModel that TensorFlow runs/,
  });
  model.dispose();
});
