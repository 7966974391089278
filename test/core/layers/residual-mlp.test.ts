import t from 'tap';
import { linear } from '../../../src/core/layers/linear.js';
import { residualMlp } from '../../../src/core/layers/residual-mlp.js';
import { array, place, worst } from './store.js';

type Matrix = number[][];
const relu = (m: Matrix) => m.map((row) => row.map((value) => Math.max(0, value)));
const plus = (a: Matrix, b: Matrix) => a.map((row, i) => row.map((value, j) => value + b[i][j]));
const rows = (values: Float32Array, width: number): Matrix =>
  Array.from({ length: values.length / width }, (_, i) => Array.from(values.subarray(i * width, (i + 1) * width)));
const times = (a: Matrix, b: Matrix, bias?: Float32Array) =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], bias?.[j] ?? 0)));

t.test('y = x·W + b', async (t) => {
  const layer = place((scope, x) => linear(scope, x, 2, {}), [3, 4], {
    'layer/kernel': array(1, 4, 2),
    'layer/bias': array(2, 2),
  });
  const wanted = times(rows(array(3, 3, 4), 4), rows(array(1, 4, 2), 2), array(2, 2)).flat();
  t.ok(worst(layer.run(array(3, 3, 4), {}), wanted) < 1e-5);
  layer.variables.dispose();
});

t.test('two blocks: projected skip, pre-activation from the second on, a ReLU at the end', async (t) => {
  const kernels = {
    'layer/block0/linear0/kernel': array(1, 3, 5),
    'layer/block0/linear1/kernel': array(2, 5, 5),
    'layer/block0/skip/kernel': array(3, 3, 5),
    'layer/block1/linear0/kernel': array(4, 5, 5),
    'layer/block1/linear1/kernel': array(5, 5, 5),
  };
  const biases = {
    'layer/block0/linear0/bias': array(6, 5),
    'layer/block0/linear1/bias': array(7, 5),
    'layer/block1/linear0/bias': array(8, 5),
    'layer/block1/linear1/bias': array(9, 5),
  };
  const layer = place((scope, x) => residualMlp(scope, x, 5, 2, {}), [2, 3], { ...kernels, ...biases });
  t.same([...layer.variables.specs.keys()].sort(), [...Object.keys(kernels), ...Object.keys(biases)].sort());

  const [w0, w1, skip, w2, w3] = Object.values(kernels).map((kernel) => rows(kernel, 5));
  const [b0, b1, b2, b3] = Object.values(biases);
  const x = rows(array(10, 2, 3), 3);
  const first = plus(times(relu(times(x, w0, b0)), w1, b1), times(x, skip));
  const second = plus(times(relu(times(relu(first), w2, b2)), w3, b3), first);
  t.ok(worst(layer.run(array(10, 2, 3), {}), relu(second).flat()) < 1e-4);
  layer.variables.dispose();
});
