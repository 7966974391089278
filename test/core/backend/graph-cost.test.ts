/** What graphs cost, against numbers counted by hand. */
import t from 'tap';
import { gradients } from '../../../src/core/backend/gradient.js';
import { costOf } from '../../../src/core/backend/graph/cost.js';
import { recordFunctions } from '../../../src/core/backend/graph/record.js';
import { batchMatMul, conv2d, matMul, relu, reshape, sum, watch } from '../../../src/core/backend/ops.js';
import type { Tensor } from '../../../src/core/backend/tensor.js';

const float = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
const cost = (inputs: Record<string, ReturnType<typeof float>>, run: (given: Record<string, Tensor>) => Tensor) =>
  costOf(recordFunctions([], { f: { inputs, run: (given) => ({ y: run(given) }) } }).nodes);

t.test('arithmetic: twice the number of multiplications', async (t) => {
  t.equal(cost({ a: float(5, 7), b: float(7, 3) }, ({ a, b }) => matMul(a, b)).flops, 2 * 5 * 7 * 3);
  t.equal(cost({ a: float(7, 5), b: float(3, 7) }, ({ a, b }) => matMul(a, b, true, true)).flops, 2 * 5 * 7 * 3);
  t.equal(
    cost({ a: float(2, 5, 7), b: float(2, 3, 7) }, ({ a, b }) => batchMatMul(a, b, false, true)).flops,
    2 * 2 * 5 * 7 * 3,
  );
  // 4·4 places of stride 2, 9·3 inputs, 6 filters, 2 images.
  t.equal(
    cost({ x: float(2, 8, 8, 3), k: float(3, 3, 3, 6) }, ({ x, k }) => conv2d(x, k, 2)).flops,
    2 * 2 * 16 * 27 * 6,
  );
});

t.test('the gradients of a convolution cost as much as itself, each', async (t) => {
  const { flops } = cost({ x: float(2, 8, 8, 3), k: float(3, 3, 3, 6) }, ({ x, k }) => {
    const [image, kernel] = [watch(x), watch(k)];
    const [dx, dk] = gradients(sum(conv2d(image, kernel, 2)), [image, kernel]);
    return sum(dx).shape.length === 0 ? reshape(dk, [162]) : dx;
  });
  // Nothing uses the sum of dx, so that it is not in the graph.
  t.equal(flops, 2 * 2 * 16 * 27 * 6 * 1, 'the forward pass is not needed for the gradient of a sum, nor is dx');
});

t.test('memory: what is alive at one time', async (t) => {
  // 1000 floats go in; each ReLU needs its own and the one before it.
  const chain = (n: number) =>
    cost({ x: float(1000) }, ({ x }) => Array.from({ length: n }).reduce<Tensor>((y) => relu(y), x)).activationBytes;
  t.equal(chain(1), 4000);
  t.equal(chain(2), 8000);
  t.equal(chain(9), 8000, 'does not grow');
  const kept = cost({ x: float(1000) }, ({ x }) => {
    const leaf = watch(x);
    const y = relu(relu(relu(leaf)));
    return gradients(sum(y), [leaf])[0];
  }).activationBytes;
  t.ok(kept >= 4 * 4000, `backward needs what forward made: ${kept}`);
  t.equal(
    cost({ x: float(1000) }, ({ x }) => reshape(relu(x), [10, 100])).activationBytes,
    4000,
    'a reshaped tensor is the same memory',
  );
});
