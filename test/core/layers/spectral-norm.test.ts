import { readFileSync } from 'node:fs';
import t from 'tap';
import { constant } from '../../../src/core/backend/executor.js';
import { concat, spectralNormalise } from '../../../src/core/backend/ops.js';
import { singularValues } from '../../../src/core/backend/singular-values.js';
import { size } from '../../../src/core/backend/tensor.js';
import { convolution } from '../../../src/core/layers/convolution.js';
import { linear } from '../../../src/core/layers/linear.js';
import { createPass } from '../../../src/core/layers/scope.js';
import { fixture } from '../../paths.js';
import { array, engine, place, tensor, worst } from './store.js';

interface Case {
  shape: number[];
  largest: number;
  after_one_step: { sigma: number; u: number[] };
}
const cases = JSON.parse(readFileSync(fixture('model/spectral-norm.json'), 'utf8')) as Case[];
const options = { bias: false, spectralNorm: true };
const passes = { statistics: 'batch', updatesSpectralNorm: true } as const;
/** Rows of the identity: the output of a linear layer is then its kernel. */
const identity = (n: number) => Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));

for (const { shape, largest, after_one_step: step } of cases) {
  t.test(`[${shape}]: one step as NumPy's, many end at NumPy's singular value`, async (t) => {
    const u0 = array(2, 1, shape.at(-1)!);
    const once = engine.scope(() => {
      const { u, sigma } = spectralNormalise(tensor(array(1, ...shape), ...shape), tensor(u0, 1, u0.length), 1e-4);
      return { u: Array.from(engine.read(u)), sigma: engine.read(sigma)[0] };
    });
    t.ok(Math.abs(once.sigma - step.sigma) < 1e-5 * step.sigma);
    t.ok(worst(once.u, step.u) < 1e-5);

    let u = u0;
    for (let i = 0; i < 300; i++) {
      u = engine.scope(() =>
        (
          engine.read(
            spectralNormalise(tensor(array(1, ...shape), ...shape), tensor(u, 1, u.length), 1e-4).u,
          ) as Float32Array
        ).slice(),
      );
    }
    const { sigma, kernel } = engine.scope(() => {
      const result = spectralNormalise(tensor(array(1, ...shape), ...shape), tensor(u, 1, u.length), 1e-4);
      return { sigma: engine.read(result.sigma)[0], kernel: Float64Array.from(engine.read(result.kernel)) };
    });
    t.ok(Math.abs(sigma - largest) < 1e-4 * largest, `${sigma}, not ${largest}`);
    const outputs = shape.at(-1)!;
    t.ok(Math.abs(singularValues(engine, kernel, size(shape) / outputs, outputs)[0] - 1) < 1e-4);
  });
}

t.test('u moves in passes that say so, and in no other', async (t) => {
  const layer = place((scope, x) => linear(scope, x, 9, options), [6, 6], {
    'layer/kernel': array(1, 6, 9),
    'layer/u': array(2, 1, 9),
  });
  const before = layer.read('layer/u');
  const first = layer.run(identity(6), { ...passes, updatesSpectralNorm: false });
  t.same(layer.read('layer/u'), before);
  const second = layer.run(identity(6), passes);
  t.same(first, second, 'the pass itself divides by the same number');
  t.ok(worst(layer.read('layer/u'), cases[0].after_one_step.u) < 1e-5);
  // NumPy's kernel after one step.
  const wanted = array(1, 6, 9).map((value) => value / cases[0].after_one_step.sigma);
  t.ok(worst(second, wanted) < 1e-5);
  const third = layer.run(identity(6), passes);
  t.ok(worst(third, second) > 1e-3, 'the next pass goes on from there');
  layer.variables.dispose();
});

t.test('a kernel that is used twice in a pass is normalised once', async (t) => {
  const twice = place((scope, x) => concat([linear(scope, x, 9, options), linear(scope, x, 9, options)], 0), [6, 6], {
    'layer/kernel': array(1, 6, 9),
    'layer/u': array(2, 1, 9),
  });
  const rows = twice.run(identity(6), passes);
  t.same(rows.slice(0, 54), rows.slice(54));
  t.ok(worst(twice.read('layer/u'), cases[0].after_one_step.u) < 1e-5, 'one step of power iteration, not two');
  twice.variables.dispose();
});

t.test('a convolution divides its kernel by the singular value of [3·3·in, out]', async (t) => {
  const layer = place((scope, x) => convolution(scope, x, 5, options), [1, 3, 3, 2], {
    'layer/kernel': array(1, 3, 3, 2, 5),
    'layer/u': array(2, 1, 5),
  });
  const bare = place((scope, x) => convolution(scope, x, 5, { bias: false }), [1, 3, 3, 2], {
    'layer/kernel': array(1, 3, 3, 2, 5),
  });
  const [normalised, plain] = [layer, bare].map((conv) => conv.run(array(3, 1, 3, 3, 2), passes));
  t.ok(
    worst(
      normalised,
      plain.map((value) => value / cases[2].after_one_step.sigma),
    ) < 1e-5,
  );
  layer.variables.dispose();
  bare.variables.dispose();
});

t.test('the average of a weight is read under its own name', async (t) => {
  const variables = {
    declare: () => {},
    assign: () => {},
    read: (name: string) => constant(Float32Array.of(name.startsWith('ema/') ? 2 : 3), [1, 1]),
  };
  const y = engine.scope(() => {
    const pass = (weights: 'average' | 'trained') =>
      createPass({ variables, epsilon: { batchNorm: 0, spectralNorm: 0 }, weights });
    const x = constant(Float32Array.of(1), [1, 1]);
    return (['average', 'trained'] as const).map(
      (weights) => engine.read(linear({ pass: pass(weights), path: 'l' }, x, 1, { bias: false }))[0],
    );
  });
  t.same(y, [2, 3]);
});
