/**
 * Memory of one forward and backward pass of the RevNet trunk as a graph, at two depths, reversible and plain:
 *   make build engine && node scripts/revnet-memory.mjs --channels 64 --resolution 64 --batch 32 --precision float32
 * Every number is the median of --processes fresh processes of six passes each. Memory is the most that the process
 * has held since just before its first pass (VmHWM, reset through /proc/self/clear_refs) less what it held then, so
 * without the library and the weights; time is that of its fastest pass. The stem neither pools nor strides.
 * Needs Linux. Prints a Markdown table.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    channels: { type: 'string', default: '64' },
    resolution: { type: 'string', default: '64' },
    batch: { type: 'string', default: '32' },
    precision: { type: 'string', default: 'float32' },
    processes: { type: 'string', default: '3' },
    /** One measurement, in this process: JSON of `units` and `reversible`. */
    measure: { type: 'string' },
  },
});
const MULTIPLIERS = [1, 2, 4, 8];
const DEPTHS = [
  [3, 4, 6, 3],
  [6, 8, 12, 6],
];

if (options.measure) console.log(JSON.stringify(await measure(JSON.parse(options.measure))));
else table();

function table() {
  const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
  const run = (units, reversible) => {
    const results = Array.from({ length: Number(options.processes) }, () => one(units, reversible));
    return {
      megabytes: median(results.map((result) => result.megabytes)),
      seconds: median(results.map((result) => result.seconds)),
    };
  };
  const one = (units, reversible) => {
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const child = [fileURLToPath(import.meta.url), ...args, '--measure', JSON.stringify({ units, reversible })];
    return JSON.parse(
      execFileSync(process.execPath, ['--expose-gc', ...child], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
  };
  console.log(
    `| backward pass | units ${DEPTHS.map((units) => `${units}, MB`).join(' | units ')} | growth, MB | seconds a pass |`,
  );
  console.log('| --- | --- | --- | --- | --- |');
  const growth = {};
  for (const [name, reversible] of [
    ['plain', false],
    ['reversible', true],
  ]) {
    const [shallow, deep] = DEPTHS.map((units) => run(units, reversible));
    growth[name] = deep.megabytes - shallow.megabytes;
    const seconds = [shallow, deep].map((result) => result.seconds.toFixed(2)).join(' and ');
    console.log(`| ${name} | ${shallow.megabytes} | ${deep.megabytes} | ${growth[name]} | ${seconds} |`);
  }
  console.log(`\nGrowth, reversible over plain: ${((100 * growth.reversible) / growth.plain).toFixed(1)} %`);
}

async function measure({ units, reversible }) {
  const core = (path) => import(new URL(`../dist/src/core/${path}.js`, import.meta.url).href);
  const { startEngine } = await core('backend/engine');
  const { createDryExecutor } = await core('backend/dry');
  const { constant, withExecutor } = await core('backend/executor');
  const { initialValue } = await core('backend/initialise');
  const { createMachine } = await core('backend/machine');
  const { gradients, mean, mul, stack, sum } = await core('backend/ops');
  const { declareOnly } = await core('backend/variables');
  const { createPass } = await core('layers/scope');
  const { revnetTrunk } = await core('model/revnet');

  const engine = await startEngine();
  const [channels, resolution, batch] = [options.channels, options.resolution, options.batch].map(Number);
  const config = {
    channels,
    multipliers: MULTIPLIERS,
    units,
    bottleneck: 4,
    stem: { size: 3, stride: 1, pool: false },
    reversible,
  };
  const epsilon = { batchNorm: 1e-4, spectralNorm: 1e-12 };
  const shape = [batch, resolution, resolution, 3];
  const pass = (variables) => createPass({ variables, epsilon, weights: 'trained', statistics: 'batch', trains: true });

  const declared = declareOnly();
  withExecutor(createDryExecutor(), () => {
    revnetTrunk(
      { pass: pass(declared), path: 'net' },
      constant(new Float32Array(3 * resolution ** 2), [1, ...shape.slice(1)]),
      config,
    );
  });
  const specs = [...declared.specs.values()];
  const values = new Map();
  for (const spec of specs) {
    const data = engine.scope(() => Float32Array.from(engine.read(initialValue(spec, 0))));
    values.set(spec.name, { shape: spec.shape, data });
  }
  const machine = createMachine(engine, {
    execution: 'traced',
    precision: options.precision,
    specs,
    values,
    functions: {
      norms: {
        inputs: { images: { shape, dtype: 'float32' } },
        run({ images }, variables) {
          const used = pass(variables);
          const y = revnetTrunk({ pass: used, path: 'net' }, images, config);
          const found = gradients(mean(mul(y, y)), [...used.parameters.values()]);
          return { norms: stack(found.map((gradient) => sum(mul(gradient, gradient)))) };
        },
      },
    },
  });
  const images = Float32Array.from({ length: 3 * batch * resolution ** 2 }, (_, i) => Math.sin(0.7 * i * i + 0.3 * i));

  const status = (field) =>
    Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
  gc();
  writeFileSync('/proc/self/clear_refs', '5');
  const before = status('VmRSS');
  const times = Array.from({ length: 6 }, () => {
    const start = performance.now();
    machine.call('norms', { images });
    return (performance.now() - start) / 1000;
  });
  return { megabytes: Math.round(status('VmHWM') - before), seconds: Math.min(...times) };
}
