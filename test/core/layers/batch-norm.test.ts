import { readFileSync } from 'node:fs';
import t from 'tap';
import { scalar } from '../../../src/core/backend/executor.js';
import { batchNorm, conditionalBatchNorm, plainBatchNorm } from '../../../src/core/layers/batch-norm.js';
import { fixture } from '../../paths.js';
import { array, type Layer, place, tensor, worst } from './store.js';

const golden = JSON.parse(readFileSync(fixture('model/batch-norm.json'), 'utf8')) as Record<string, number[]>;
const shape = [4, 3, 3, 2];
const one = array(1, ...shape).map((value, i) => (i % 2 === 0 ? value * 2 + 1 : value * 0.5 - 3));
const two = array(2, ...shape).map((value) => value + 0.5);
const learned = {
  'layer/scale': array(3, 2).map((value) => 1 + 0.5 * value),
  'layer/offset': array(4, 2),
};
/** One of two passes over which statistics are taken. */
const taking = { statistics: { share: scalar(0.5) } };
const standing = {
  'layer/standing_mean': Float32Array.from(golden.standing_mean),
  'layer/standing_variance': Float32Array.from(golden.standing_variance),
};

t.test("by the batch's statistics", async (t) => {
  const layer = place(batchNorm, shape, learned);
  t.ok(worst(layer.run(one, { statistics: 'batch' }), golden.batch) < 1e-4);
  t.same(layer.read('layer/standing_mean'), [0, 0], 'training leaves the standing statistics alone');
  layer.variables.dispose();
});

t.test('standing statistics are the means over passes, of trained and averaged weights apart', async (t) => {
  const values = { ...learned, 'ema/layer/scale': learned['layer/scale'], 'ema/layer/offset': learned['layer/offset'] };
  const layer = place(batchNorm, shape, values);
  for (const x of [one, two]) layer.run(x, taking);
  t.ok(worst(layer.read('layer/standing_mean'), golden.standing_mean) < 1e-5);
  t.ok(worst(layer.read('layer/standing_variance'), golden.standing_variance) < 1e-5);
  t.same(layer.read('ema/layer/standing_mean'), [0, 0]);
  t.ok(worst(layer.run(one, { statistics: 'standing' }), golden.standing) < 1e-4);
  layer.variables.dispose();
});

t.test('averaged weights have statistics of their own', async (t) => {
  const layer = place(plainBatchNorm, shape, {});
  for (const x of [one, two]) layer.run(x, { ...taking, weights: 'average' });
  t.ok(worst(layer.read('ema/layer/standing_mean'), golden.standing_mean) < 1e-5);
  t.same(layer.read('layer/standing_mean'), [0, 0]);
  const [average, trained] = (['average', 'trained'] as const).map((weights) =>
    layer.run(one, { statistics: 'standing', weights }),
  );
  t.ok(worst(average, trained) > 0.1);
  layer.variables.dispose();
});

t.test('while statistics are taken, a pass is still normalised by its own batch', async (t) => {
  const layer = place(batchNorm, shape, learned);
  t.ok(worst(layer.run(one, taking), golden.batch) < 1e-4);
  layer.variables.dispose();
});

t.test('with standing statistics an image is the same whatever its batch', async (t) => {
  const layer = place(batchNorm, shape, { ...learned, ...standing });
  const mixed = Float32Array.from([...one.subarray(0, 18), ...two.subarray(18)]);
  const rows = [one, mixed].map((x) => layer.run(x, { statistics: 'standing' }).slice(0, 18));
  t.same(rows[0], rows[1]);
  layer.variables.dispose();
});

const condition = array(5, 4, 3);
const conditional: Layer = (scope, x) => conditionalBatchNorm(scope, x, tensor(condition, 4, 3));

t.test('conditional scale and offset, the scale centred at 1', async (t) => {
  const layer = place(conditional, shape, {
    'layer/gain/kernel': array(6, 3, 2),
    'layer/offset/kernel': array(7, 3, 2),
    'layer/gain/u': array(8, 1, 2),
    'layer/offset/u': array(9, 1, 2),
  });
  t.ok(worst(layer.run(one, { statistics: 'batch' }), golden.conditional) < 1e-4);
  layer.variables.dispose();

  // Without a condition it is plain batch norm, not zeros.
  const without: Layer = (scope, x) => conditionalBatchNorm(scope, x, tensor(new Float32Array(12), 4, 3));
  const values = {
    'layer/gain/kernel': array(6, 3, 2),
    'layer/offset/kernel': array(7, 3, 2),
    'layer/gain/u': array(8, 1, 2),
    'layer/offset/u': array(9, 1, 2),
  };
  const [bare, plain] = [place(without, shape, values), place(plainBatchNorm, shape, {})];
  t.same(bare.run(one, { statistics: 'batch' }), plain.run(one, { statistics: 'batch' }));
  bare.variables.dispose();
  plain.variables.dispose();
});

t.test('vectors are normalised over the batch', async (t) => {
  const layer = place(plainBatchNorm, [4, 2], {});
  const x = Float32Array.of(1, 10, 2, 10, 3, 30, 4, 30);
  // Variances 1.25 and 100.
  const wanted = Array.from(x, (value, i) =>
    i % 2 === 0 ? (value - 2.5) / Math.sqrt(1.2501) : (value - 20) / Math.sqrt(100.0001),
  );
  t.ok(worst(layer.run(x, { statistics: 'batch' }), wanted) < 1e-5);
  layer.variables.dispose();
});
