/** Traced execution against eager execution of the same functions, and mixed precision against float32. */
import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { scalar } from '../../../src/core/backend/executor.js';
import { recordSafely } from '../../../src/core/backend/graph/record.js';
import { createRecorder } from '../../../src/core/backend/graph/recorder.js';
import type { GraphFunction } from '../../../src/core/backend/graph-function.js';
import type { VariableValues } from '../../../src/core/backend/variables.js';
import { preset } from '../../../src/core/config/presets.js';
import { initialValues, runVariables } from '../../../src/core/train/initial.js';
import { stepFunction } from '../../../src/core/train/step/step.js';
import { createTrainer } from '../../../src/core/train/trainer.js';

const engine = await startEngine();
const config = preset('tiny');
config.train.flip = true;
const { batchSize } = config.train;

/** Black and white dots, another picture for every number. */
function images(first: number, count: number): Uint8Array {
  return new Uint8Array(count * 1024).map((_, i) => ((i * 7919 + first * 104_729) % 1009 < 150 ? 255 : 0));
}

const values = initialValues(engine, config, images(1000, 256));
const copy = (): VariableValues =>
  new Map([...values].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]));

async function run(execution: 'eager' | 'traced', precision: 'float32' | 'bf16', steps: number) {
  const settings = structuredClone(config);
  settings.train.precision = precision;
  const trainer = createTrainer(engine, { config: settings, values: copy(), execution, sheetImages: 4 });
  const reports = Array.from({ length: steps }, (_, step) => trainer.step(step, images(step * batchSize, batchSize)));
  await trainer.takeStatistics(() => [{ images: images(0, batchSize) }, { images: images(50, batchSize) }]);
  const z = Float32Array.from({ length: 4 * config.model.latent }, (_, i) => Math.sin(i * 1.7));
  const result = {
    reports,
    values: trainer.values(),
    encoded: trainer.model.encode(images(7, 3), 3),
    generated: trainer.model.generate(z, 4),
  };
  trainer.dispose();
  return result;
}

/**
 * Biases in front of batch norm have a gradient of zero, so Adam walks them on rounding noise: they are left out, and
 * with them the statistics that they shift.
 */
const meaningful = (name: string) => !/generator\/.*bias$|standing_|^adam/.test(name);

function relativeDifference(a: VariableValues, b: VariableValues): number {
  let [difference, norm] = [0, 0];
  for (const [name, { data }] of a) {
    if (!meaningful(name)) continue;
    const other = b.get(name)!.data;
    data.forEach((value, i) => {
      difference += (value - other[i]) ** 2;
      norm += value ** 2;
    });
  }
  return Math.sqrt(difference / norm);
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));

const eager = await run('eager', 'float32', 5);
const traced = await run('traced', 'float32', 5);

t.test('losses and scores of the first step are equal', async (t) => {
  for (const [name, value] of Object.entries(eager.reports[0])) {
    t.ok(Math.abs(value - traced.reports[0][name]) < 1e-5, `${name}: ${value} and ${traced.reports[0][name]}`);
  }
});

t.test('weights and state after five steps are equal to 1e-4', async (t) => {
  const difference = relativeDifference(eager.values, traced.values);
  t.ok(difference < 1e-4, `relative L2 ${difference}`);
  t.ok(relativeDifference(values, traced.values) > 1e-3, 'and they have moved');
});

t.test('inference from the same state is equal to 1e-6', async (t) => {
  const settings = structuredClone(config);
  const state = () =>
    new Map([...traced.values].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]));
  const [a, b] = (['eager', 'traced'] as const).map((execution) => {
    const trainer = createTrainer(engine, { config: settings, values: state(), execution, sheetImages: 4 });
    const encoded = trainer.model.encode(images(7, 3), 3);
    trainer.dispose();
    return encoded;
  });
  for (const name of ['avepool', 'bn_crelu', 'z_mean', 'z_std'] as const) {
    const scale = Math.max(...a[name].map(Math.abs));
    t.ok(worst(a[name], b[name]) < 1e-6 * Math.max(1, scale), `${name} differs by ${worst(a[name], b[name])}`);
  }
  t.ok(worst(eager.generated, traced.generated) <= 1, 'images to one grey level after five steps of rounding');
});

t.test('a traced run repeats itself to the bit', async (t) => {
  const again = await run('traced', 'float32', 5);
  t.same(again.reports, traced.reports);
  t.equal(relativeDifference(again.values, traced.values), 0);
});

t.test('mixed precision stays near float32', async (t) => {
  const half = await run('traced', 'bf16', 5);
  for (const name of ['loss_d', 'loss_eg']) {
    const [wanted, got] = [traced.reports[0][name], half.reports[0][name]];
    const scale = Math.max(Math.abs(wanted), Math.abs(traced.reports[0].loss_d));
    t.ok(Math.abs(wanted - got) < 0.01 * scale, `${name}: ${wanted} and ${got}`);
  }
  const difference = relativeDifference(traced.values, half.values);
  t.ok(difference < 0.05, `weights differ by ${difference}`);
  t.ok(difference > 0, 'and the arithmetic is another');
});

t.test('what would be frozen into a graph is refused', async (t) => {
  const specs = runVariables(config);
  t.ok(recordSafely(specs, { step: stepFunction(config) }).nodes.length > 1000);
  let calls = 0;
  const counting: GraphFunction = { inputs: {}, run: () => ({ count: scalar(calls++) }) };
  t.throws(() => recordSafely([], { counting }), /two recordings of the same functions differ/);
});

t.test('a tensor made outside is refused while recording', async (t) => {
  const outside = engine.constant(Float32Array.of(1), [], 'float32');
  const recorder = createRecorder([]);
  t.throws(() => recorder.execute('Neg', {}, [outside], [{ shape: [], dtype: 'float32' }]), /pass it in as an input/);
  engine.dispose(outside);
});
