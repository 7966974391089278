/** One graph for any batch size from recordings at two, and the file that it becomes. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { servedFunctions, servedModel } from '../../../src/core/backend/graph/served-model.js';
import { loadSession } from '../../../src/core/backend/graph/session.js';
import type { GraphFunction } from '../../../src/core/backend/graph-function.js';
import { ones } from '../../../src/core/backend/initialise.js';
import { add, constant, mul, reshape, scale, sum, upsample2 } from '../../../src/core/backend/ops.js';
import type { Tensor } from '../../../src/core/backend/tensor.js';
import type { ResourceVariables, VariableSpec } from '../../../src/core/backend/variables.js';

const specs: VariableSpec[] = [
  { name: 'unused', shape: [5], dtype: 'float32', initialiser: ones, trainable: true },
  { name: 'layer/scale', shape: [1, 3], dtype: 'float32', initialiser: ones, trainable: true },
];
const values = new Map([['layer/scale', { shape: [1, 3], data: Float32Array.of(2, -1, 0.5) }]]);

type Body = (x: Tensor, variables: ResourceVariables) => Tensor;

const functionsFor =
  (body: Body) =>
  (n: number): Record<string, GraphFunction> => ({
    f: {
      inputs: { x: { shape: [n, 2, 2, 3], dtype: 'float32' } },
      run: ({ x }, variables) => ({ y: body(x, variables) }),
    },
  });

t.test('a graph from two batch sizes runs at others', async (t) => {
  const engine = await startEngine();
  // At 64, the first of the sizes, [n · 4, 12] is the same constant as [256, 12]: the two must not be confused.
  const body: Body = (x, variables) => {
    const same = sum(reshape(constant(new Float32Array(3072).fill(1 / 3072), [3072]), [256, 12]));
    const y = mul(upsample2(x), variables.read('layer/scale'));
    return add(reshape(y, [x.shape[0] * 4, 12]), mul(scale(sum(x), 0.5), same));
  };
  const functions = servedFunctions(specs, functionsFor(body), 'float32');
  t.same([...functions.variables], ['layer/scale']);
  t.same(functions.signatures.f.inputs.x.outputs[0].shape, [-1, 2, 2, 3]);
  t.same(functions.signatures.f.outputs.y.outputs[0].shape, [-1, 12]);

  const folder = mkdtempSync(join(tmpdir(), 'bigbigan-test-'));
  writeFileSync(join(folder, 'saved_model.pb'), Buffer.concat([...servedModel(functions, values)]));
  const session = loadSession(engine, folder, ['serve']);
  for (const n of [1, 5]) {
    const x = Float32Array.from({ length: n * 12 }, (_, i) => i / 4);
    const [y] = session.run(
      [{ node: 'f/inputs/x', shape: [n, 2, 2, 3], dtype: 'float32', values: x }],
      ['f/outputs/y'],
    );
    const half = x.reduce((a, b) => a + b, 0) / 2;
    const expected = Array.from({ length: n * 48 }, (_, i) => {
      const [image, row, column, channel] = [Math.floor(i / 48), Math.floor(i / 12) % 4, Math.floor(i / 3) % 4, i % 3];
      return x[image * 12 + (row >> 1) * 6 + (column >> 1) * 3 + channel] * [2, -1, 0.5][channel] + half;
    });
    t.ok([...y].every((value, i) => Math.abs(value - expected[i]) < 1e-4 * half));
  }
  session.close();
});

t.test('a batch size that is baked in is an error that names the node', async (t) => {
  const baked: Record<string, Body> = {
    'AddV2 node f/AddV2_0': (x) => add(x, constant(new Float32Array(x.shape[0]), [x.shape[0], 1, 1, 1])),
    'Mul node f/Mul_0': (x) => scale(x, 1 / x.shape[0]),
  };
  for (const [name, body] of Object.entries(baked)) {
    t.throws(() => servedFunctions(specs, functionsFor(body), 'float32'), {
      message: new RegExp(`the ${name} depends on the batch size`),
    });
  }
});

t.test('a function that writes a variable cannot be frozen', async (t) => {
  const writes: Body = (x, variables) => {
    variables.assign('layer/scale', constant(Float32Array.of(1, 1, 1), [1, 3]));
    return mul(x, variables.read('layer/scale'));
  };
  t.throws(() => [...servedModel(servedFunctions(specs, functionsFor(writes), 'float32'), values)], {
    message: /more with a variable/,
  });
});

t.test('weights over 2 GB are refused before anything is encoded', async (t) => {
  const large: VariableSpec = { ...specs[1], shape: [2 ** 29, 1] };
  const body: Body = (x, variables) => mul(sum(x), sum(variables.read(large.name)));
  const functions = servedFunctions([large], functionsFor(body), 'float32');
  const data = new Float32Array(2 ** 29);
  const parts = servedModel(functions, new Map([[large.name, { shape: large.shape, data }]]));
  t.throws(() => parts.next(), { message: /expected weights of less than 2 GB .* got 2\.1 GB/ });
});
