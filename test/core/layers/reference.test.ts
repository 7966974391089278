/** Every layer against PyTorch: outputs, gradients of input and parameters, and power iteration. */
import t from 'tap';
import { concat, mul, scalar, sub } from '../../../src/core/backend/ops.js';
import { batchNorm, conditionalBatchNorm } from '../../../src/core/layers/batch-norm.js';
import { convolution } from '../../../src/core/layers/convolution.js';
import { embedding } from '../../../src/core/layers/embedding.js';
import { linear } from '../../../src/core/layers/linear.js';
import { nonLocalBlock } from '../../../src/core/layers/non-local.js';
import { residualMlp } from '../../../src/core/layers/residual-mlp.js';
import { array, type Case, compare, differences, labels, layer, place, referenceOf } from './reference.js';

const executions = ['eager', 'traced'] as const;
const spectral = { spectralNorm: true };

/** Of [z, the label's embedding]. */
const conditional: Case = {
  inputs: { x: [4, 3, 2, 6], z: [4, 2] },
  run(pass, { x, z }) {
    const condition = concat([z, embedding({ pass, path: 'embedding' }, labels(4), 3, 5)], 1);
    return { y: conditionalBatchNorm({ pass, path: 'layer' }, x, condition) };
  },
};

const table = (spectralNorm: boolean): Case => {
  return { inputs: {}, run: (pass) => ({ y: embedding({ pass, path: 'layer' }, labels(4), 3, 5, { spectralNorm }) }) };
};

const cases: Record<string, Case> = {
  linear: layer((scope, x) => linear(scope, x, 5), 4, 6),
  'linear sn': layer((scope, x) => linear(scope, x, 5, spectral), 4, 6),
  'conv 3x3': layer((scope, x) => convolution(scope, x, 4), 2, 5, 4, 3),
  'conv 3x3 sn': layer((scope, x) => convolution(scope, x, 4, spectral), 2, 5, 4, 3),
  'conv 1x1': layer((scope, x) => convolution(scope, x, 4, { size: 1, bias: false }), 2, 5, 4, 3),
  'conv 3x3 stride 2 of 6': layer((scope, x) => convolution(scope, x, 4, { stride: 2 }), 2, 6, 6, 3),
  'conv 3x3 stride 2 of 7': layer((scope, x) => convolution(scope, x, 4, { stride: 2 }), 2, 7, 7, 3),
  'conv 1x1 stride 2 of 7': layer((scope, x) => convolution(scope, x, 4, { size: 1, stride: 2 }), 2, 7, 7, 3),
  'conv up': layer((scope, x) => convolution(scope, x, 4, { resample: 'up', ...spectral }), 2, 3, 5, 3),
  'conv down': layer((scope, x) => convolution(scope, x, 4, { resample: 'down', ...spectral }), 2, 6, 4, 3),
  'batch norm, batch': layer(batchNorm, 4, 3, 2, 5),
  'batch norm, standing': { ...layer(batchNorm, 4, 3, 2, 5), statistics: 'standing' },
  'batch norm of vectors, batch': layer(batchNorm, 4, 5),
  'batch norm of vectors, standing': { ...layer(batchNorm, 4, 5), statistics: 'standing' },
  'conditional batch norm, batch': conditional,
  'conditional batch norm, standing': { ...conditional, statistics: 'standing' },
  'non-local 4x4x8': layer(nonLocalBlock, 2, 4, 4, 8),
  'non-local 6x4x20': layer(nonLocalBlock, 2, 6, 4, 20),
  'non-local 5x5x8': layer(nonLocalBlock, 2, 5, 5, 8),
  'non-local 5x4x16': layer(nonLocalBlock, 2, 5, 4, 16),
  'residual MLP': layer((scope, x) => residualMlp(scope, x, 7, 2, {}), 4, 3),
  'residual MLP sn': layer((scope, x) => residualMlp(scope, x, 7, 2, spectral), 4, 3),
  'residual MLP without projection': layer((scope, x) => residualMlp(scope, x, 5, 1, {}), 4, 5),
  embedding: table(false),
  'embedding sn': table(true),
};

for (const [name, c] of Object.entries(cases)) {
  t.test(`${name}, as in PyTorch`, async (t) => {
    for (const execution of executions) t.same(compare(name, c, execution), [], execution);
  });
}

t.test('a non-local block is the identity where its gate is 0', async (t) => {
  const placed = place(layer(nonLocalBlock, 2, 4, 4, 8), 'eager', { 'layer/gate': [0] });
  t.same(Array.from(placed.evaluate()['output/y']), Array.from(array('input/x', [2, 4, 4, 8])));
  placed.dispose();
});

const normalised: Record<string, Case> = {
  linear: layer((scope, x) => linear(scope, x, 9, { bias: false, ...spectral }), 4, 6),
  conv: layer((scope, x) => convolution(scope, x, 5, { bias: false, ...spectral }), 2, 4, 4, 2),
};

for (const [name, c] of Object.entries(normalised)) {
  for (const execution of executions) {
    t.test(`five training steps of a spectrally normalised ${name}, ${execution}`, async (t) => {
      const rate = 0.5;
      const placed = place(c, execution, {}, ({ variables, parameters }, gradient) => {
        const kernel = 'layer/kernel';
        variables.assign(kernel, sub(parameters.get(kernel)!, mul(gradient(kernel), scalar(rate))));
      });
      const steps = `five steps of ${name}`;
      for (let step = 0; step < 5; step++) {
        t.same(differences(placed.train(), referenceOf(`${steps}/${step}`)), [], `step ${step}`);
      }

      const before = placed.values();
      const evaluation = referenceOf(`${steps}/evaluation`);
      for (let i = 0; i < 2; i++) t.same(differences(placed.evaluate(), evaluation), [], 'evaluation');
      t.same(placed.values(), before, 'in which nothing moves');
      placed.dispose();

      const data = (suffix: string) => before.get(`layer/${suffix}`)!.data;
      const resting = place(c, execution, { 'layer/kernel': data('kernel'), 'layer/u': data('u') });
      const converged = referenceOf(`${steps}/converged`);
      t.not(differences(resting.evaluate(), converged).length, 0, 'far from the singular value yet');
      for (let i = 0; i < 200; i++) resting.train();
      t.same(differences(resting.evaluate(), converged), [], "at NumPy's singular value");
      resting.dispose();
    });
  }
}
