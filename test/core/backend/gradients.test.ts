/** Every operation's value and gradient against tfjs's own composition of ordinary ops. */
import { createRequire } from 'node:module';
import type * as TF from '@tensorflow/tfjs';
import t, { type Test } from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import * as ops from '../../../src/core/backend/ops.js';
import type { Tensor } from '../../../src/core/backend/tensor.js';

const engine = await startEngine();
const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as typeof TF;

/** Values that repeat between runs, away from 0 where a ReLU would be undecided. */
function values(shape: number[], seed: number): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = (state / 2 ** 32) * 2 - 1;
    return value + Math.sign(value) * 0.05;
  });
}

interface Case {
  name: string;
  shapes: number[][];
  ours: (...inputs: Tensor[]) => Tensor;
  theirs: (...inputs: TF.Tensor[]) => TF.Tensor;
  tolerance?: number;
}

/** Σ output · weights, so that every element of the gradient of the output is another number. */
function compare(t: Test, { shapes, ours, theirs, tolerance = 1e-4 }: Case): void {
  const inputs = shapes.map((shape, i) => values(shape, i + 1));
  const [got, loss] = engine.scope(() => {
    const leaves = inputs.map((data, i) => ops.watch(ops.constant(data.slice(), shapes[i])));
    const y = ours(...leaves);
    const weighted = ops.sum(ops.mul(y, ops.constant(values([...y.shape], 99), y.shape)));
    const gradients = ops.gradients(weighted, leaves);
    return [[y, ...gradients].map((tensor) => Array.from(engine.read(tensor))), weighted.shape] as const;
  });
  t.same(loss, []);
  const expected = tf.tidy(() => {
    const leaves = inputs.map((data, i) => tf.tensor(data.slice(), shapes[i]));
    const y = theirs(...leaves);
    const weights = tf.tensor(values(y.shape, 99), y.shape);
    const gradients = tf.grads((...args: TF.Tensor[]) => tf.sum(tf.mul(theirs(...args), weights)))(leaves);
    return [y, ...gradients].map((tensor) => Array.from(tensor.dataSync()));
  });
  expected.forEach((wanted, part) => {
    t.equal(got[part].length, wanted.length, `size of part ${part}`);
    const scale = Math.max(...wanted.map(Math.abs), 1e-6);
    const worst = Math.max(...wanted.map((value, i) => Math.abs(value - got[part][i]))) / scale;
    t.ok(worst < tolerance, `part ${part} (0 is the value, then gradients) differs by ${worst}`);
  });
}

const epsilon = 1e-4;
const u = values([1, 5], 7);

/** tfjs's own batch norm by the batch's statistics. */
function composedBatchNorm(x: TF.Tensor, scale: TF.Tensor, offset: TF.Tensor): TF.Tensor {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon))), scale), offset);
}

/** W / σ with the singular vectors found outside the gradient. */
function composedSpectralNorm(kernel: TF.Tensor): TF.Tensor {
  const matrix = tf.reshape(kernel, [-1, 5]) as TF.Tensor2D;
  const unit = (x: TF.Tensor2D) => tf.div(x, tf.norm(x)) as TF.Tensor2D;
  const constant = tf.tensor(matrix.dataSync().slice(), matrix.shape) as TF.Tensor2D;
  const v = unit(tf.matMul(tf.tensor2d(u, [1, 5]), constant, false, true));
  const next = unit(tf.matMul(v, constant));
  const sigma = tf.matMul(tf.matMul(v, matrix), next, false, true);
  return tf.div(kernel, tf.reshape(sigma, []));
}

const cases: Case[] = [
  { name: 'add, broadcast', shapes: [[3, 4], [4]], ours: ops.add, theirs: tf.add },
  {
    name: 'sub, broadcast',
    shapes: [
      [2, 1, 4],
      [3, 1],
    ],
    ours: ops.sub,
    theirs: tf.sub,
  },
  {
    name: 'mul, broadcast',
    shapes: [
      [3, 4],
      [3, 1],
    ],
    ours: ops.mul,
    theirs: tf.mul,
  },
  { name: 'mean over an axis', shapes: [[3, 4, 2]], ours: (x) => ops.mean(x, [1]), theirs: (x) => tf.mean(x, [1]) },
  { name: 'sum over axes', shapes: [[3, 4, 2]], ours: (x) => ops.sum(x, [0, 2]), theirs: (x) => tf.sum(x, [0, 2]) },
  ...[false, true].flatMap((a) =>
    [false, true].map((b) => ({
      name: `matMul ${a} ${b}`,
      shapes: [a ? [4, 3] : [3, 4], b ? [5, 4] : [4, 5]],
      ours: (x: Tensor, y: Tensor) => ops.matMul(x, y, a, b),
      theirs: (x: TF.Tensor, y: TF.Tensor) => tf.matMul(x as TF.Tensor2D, y as TF.Tensor2D, a, b),
    })),
  ),
  { name: 'relu', shapes: [[4, 5]], ours: ops.relu, theirs: tf.relu },
  { name: 'tanh', shapes: [[4, 5]], ours: ops.tanh, theirs: tf.tanh },
  { name: 'sigmoid', shapes: [[4, 5]], ours: ops.sigmoid, theirs: tf.sigmoid },
  { name: 'softplus', shapes: [[4, 5]], ours: ops.softplus, theirs: tf.softplus },
  {
    name: 'concat',
    shapes: [
      [2, 3],
      [2, 2],
    ],
    ours: (a, b) => ops.concat([a, b], 1),
    theirs: (a, b) => tf.concat([a, b], 1),
  },
  {
    name: 'split, one piece used twice',
    shapes: [[2, 6]],
    ours: (x) => {
      const [a, , c] = ops.splitSizes(x, [1, 2, 3], 1);
      return ops.concat([a, c, a], 1);
    },
    theirs: (x) => {
      const [a, , c] = tf.split(x, [1, 2, 3], 1);
      return tf.concat([a, c, a], 1);
    },
  },
  { name: 'reverse', shapes: [[2, 3, 4, 1]], ours: (x) => ops.reverse(x, 2), theirs: (x) => tf.reverse(x, 2) },
  {
    name: 'upsample2',
    shapes: [[2, 3, 4, 2]],
    ours: ops.upsample2,
    theirs: (x) => tf.image.resizeNearestNeighbor(x as TF.Tensor4D, [6, 8]),
  },
  {
    name: 'avgPool2',
    shapes: [[2, 4, 6, 3]],
    ours: ops.avgPool2,
    theirs: (x) => tf.avgPool(x as TF.Tensor4D, 2, 2, 'same'),
  },
  { name: 'biasAdd', shapes: [[2, 3, 3, 4], [4]], ours: ops.biasAdd, theirs: tf.add },
  ...[1, 2].map((stride) => ({
    name: `conv2d stride ${stride}`,
    shapes: [
      [2, 5, 6, 3],
      [3, 3, 3, 4],
    ],
    ours: (x: Tensor, k: Tensor) => ops.conv2d(x, k, stride),
    theirs: (x: TF.Tensor, k: TF.Tensor) => tf.conv2d(x as TF.Tensor4D, k as TF.Tensor4D, stride, 'same'),
  })),
  {
    name: 'conv2d of one pixel, stride 2',
    shapes: [
      [3, 5, 6, 3],
      [1, 1, 3, 4],
    ],
    ours: (x, k) => ops.conv2d(x, k, 2),
    theirs: (x, k) => tf.conv2d(tf.avgPool(x as TF.Tensor4D, 1, 2, 'same'), k as TF.Tensor4D, 1, 'same'),
  },
  {
    name: 'conv2dPooled',
    shapes: [
      [2, 4, 6, 3],
      [3, 3, 3, 4],
    ],
    ours: ops.conv2dPooled,
    theirs: (x, k) => tf.avgPool(tf.conv2d(x as TF.Tensor4D, k as TF.Tensor4D, 1, 'same'), 2, 2, 'same'),
  },
  {
    name: 'conv2dUpsampled',
    shapes: [
      [2, 3, 4, 3],
      [3, 3, 3, 5],
    ],
    ours: ops.conv2dUpsampled,
    theirs: (x, k) => tf.conv2d(tf.image.resizeNearestNeighbor(x as TF.Tensor4D, [6, 8]), k as TF.Tensor4D, 1, 'same'),
  },
  {
    name: 'transposeLast',
    shapes: [[2, 3, 4, 5]],
    ours: ops.transposeLast,
    theirs: (x) => tf.transpose(x, [0, 1, 3, 2]),
  },
  {
    name: 'batchNorm',
    shapes: [[4, 3, 3, 2], [2], [2]],
    ours: (x, s, o) => ops.batchNorm(x, s, o, epsilon).y,
    theirs: composedBatchNorm,
    tolerance: 1e-3,
  },
  {
    name: 'batchNormWith given statistics',
    shapes: [[4, 3, 3, 2], [2], [2]],
    ours: (x, s, o) =>
      ops.batchNormWith(
        x,
        s,
        o,
        ops.constant(Float32Array.of(0.1, -0.2), [2]),
        ops.constant(Float32Array.of(0.5, 2), [2]),
        epsilon,
      ),
    theirs: (x, s, o) =>
      tf.add(tf.mul(tf.mul(tf.sub(x, [0.1, -0.2]), tf.rsqrt(tf.add(tf.tensor([0.5, 2]), epsilon))), s), o),
  },
  {
    name: 'modulate',
    shapes: [
      [3, 2, 2, 4],
      [3, 4],
      [3, 4],
    ],
    ours: ops.modulate,
    theirs: (x, g, b) => tf.add(tf.mul(x, tf.add(tf.reshape(g, [3, 1, 1, 4]), 1)), tf.reshape(b, [3, 1, 1, 4])),
  },
  {
    name: 'spectralNormalise',
    shapes: [[3, 3, 2, 5]],
    ours: (k) => ops.spectralNormalise(k, ops.constant(u.slice(), [1, 5]), epsilon).kernel,
    theirs: composedSpectralNorm,
  },
];

for (const item of cases) t.test(item.name, async (t) => compare(t, item));

t.test('a tensor used by several operations gets the sum of its gradients', async (t) => {
  const gradient = engine.scope(() => {
    const x = ops.watch(ops.constant(Float32Array.of(3), [1]));
    return Array.from(engine.read(ops.gradients(ops.sum(ops.add(ops.mul(x, x), ops.scale(x, 5))), [x])[0]));
  });
  t.same(gradient, [11]);
});

t.test('what the loss does not depend on is named', async (t) => {
  engine.scope(() => {
    const x = ops.watch(ops.constant(Float32Array.of(3), [1]));
    const y = ops.watch(ops.constant(Float32Array.of(3), [1]));
    t.throws(() => ops.gradients(ops.sum(x), [y], ['encoder/kernel']), /does not depend on encoder\/kernel/);
  });
});

t.test('a declared shape that the engine does not confirm is an error', async (t) => {
  engine.scope(() => {
    const x = ops.constant(new Float32Array(6), [2, 3]);
    t.throws(() => engine.execute('Relu', {}, [x], [{ shape: [3, 2], dtype: 'float32' }]), /Relu output 0/);
  });
});
