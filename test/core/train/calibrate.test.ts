import t from 'tap';
import { constant } from '../../../src/core/backend/executor.js';
import { modelPass } from '../../../src/core/model/bigbigan.js';
import { encode } from '../../../src/core/model/encoder.js';
import { fromPixels } from '../../../src/core/model/pixels.js';
import { calibrateEncoder } from '../../../src/core/train/calibrate.js';
import { config, engine, pixels, variablesOf } from '../model/tiny.js';

const images = () => constant(pixels(32 * 1024), [32, 32, 32, 1]);

/** μ and σ of every image by the batch's statistics. */
function encodings(model: ReturnType<typeof config>['model'], variables: ReturnType<typeof variablesOf>) {
  return engine.scope(() => {
    const pass = modelPass(model, variables, { weights: 'trained', statistics: 'batch' });
    const { mean, std } = encode(pass, fromPixels(images()), model);
    return { mean: Array.from(engine.read(mean)), std: std && Array.from(engine.read(std)) };
  });
}

t.test('every dimension of μ has mean 0 and variance 1 over the images, and σ starts small', async (t) => {
  const { model } = config();
  const variables = variablesOf(model);
  engine.scope(() => calibrateEncoder(engine, model, variables, images()));
  const { mean, std } = encodings(model, variables);
  for (let j = 0; j < 8; j++) {
    const column = mean.filter((_, i) => i % 8 === j);
    const centre = column.reduce((a, b) => a + b) / 32;
    const variance = column.reduce((sum, value) => sum + (value - centre) ** 2, 0) / 32;
    t.ok(Math.abs(centre) < 1e-3, `mean ${centre}`);
    t.ok(Math.abs(variance - 1) < 1e-2, `variance ${variance}`);
  }
  // softplus(−3) = 0.0486, and the weights move it little.
  const sigma = std!.reduce((a, b) => a + b) / std!.length;
  t.ok(sigma > 0.02 && sigma < 0.1, `${sigma}`);
  variables.dispose();
});

t.test('a deterministic E is calibrated too', async (t) => {
  const { model } = config('model.encoder.stochastic=false');
  const variables = variablesOf(model);
  engine.scope(() => calibrateEncoder(engine, model, variables, images()));
  const { mean } = encodings(model, variables);
  t.ok(Math.abs(mean.reduce((a, b) => a + b * b, 0) / mean.length - 1) < 1e-2);
  variables.dispose();
});

t.test('null leaves the initial weights alone', async (t) => {
  const { model } = config('model.encoder.calibrateSigma=null');
  const variables = variablesOf(model);
  const before = variables.values();
  engine.scope(() => calibrateEncoder(engine, model, variables, images()));
  t.same(variables.values(), before);
  variables.dispose();
});
