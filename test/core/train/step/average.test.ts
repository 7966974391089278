import t from 'tap';
import { startEngine } from '../../../../src/core/backend/engine.js';
import { fill, scalar } from '../../../../src/core/backend/executor.js';
import { zeros } from '../../../../src/core/backend/initialise.js';
import { allocate } from '../../../../src/core/backend/variables.js';
import { averageDecay, updateAverage } from '../../../../src/core/train/step/average.js';

const engine = await startEngine();

t.test('the decay grows from a tenth to its largest value', async (t) => {
  t.equal(averageDecay(0.999, 0), 0.1);
  t.equal(averageDecay(0.999, 1), 2 / 11);
  t.equal(averageDecay(0.999, 90), 0.91);
  t.equal(averageDecay(0.999, 8989), 8990 / 8999);
  t.equal(averageDecay(0.999, 8991), 0.999);
  t.equal(averageDecay(0.999, 1e9), 0.999);
  t.equal(averageDecay(0, 50), 0);
});

t.test('the moving average over steps, by its recurrence in double precision', async (t) => {
  const specs = ['w', 'ema/w', 'other', 'ema/other'].map((name) => {
    return { name, shape: [2], dtype: 'float32' as const, initialiser: zeros, trainable: true };
  });
  const variables = allocate(engine, specs, () => fill(0, [2]));
  variables.set('ema/w', Float32Array.of(4, -4));
  let wanted = [4, -4];
  for (let step = 0; step < 20; step++) {
    const weights = [Math.sin(step), step];
    const decay = Math.min(0.5, (1 + step) / (10 + step));
    wanted = wanted.map((value, i) => decay * value + (1 - decay) * weights[i]);
    variables.set('w', Float32Array.from(weights));
    engine.scope(() => updateAverage(variables, ['w'], scalar(1 - averageDecay(0.5, step))));
    const found = variables.values().get('ema/w')!.data;
    wanted.forEach((value, i) => t.ok(Math.abs(found[i] - value) < 1e-5, `step ${step}: ${found[i]}, not ${value}`));
  }
  t.same(Array.from(variables.values().get('ema/other')!.data), [0, 0]);
  variables.dispose();
});
