/**
 * Runs every preset of the paper's Table 1 at its full published width: two steps (each of two D updates and one joint
 * update of G and E) on two random images, each preset in a process of its own.
 *   make build engine && node scripts/check-presets.mjs [PRESET ...]
 * Fails where a loss is not finite or a parameter got no gradient. Prints a Markdown table; VmHWM is the most memory that
 * the process held, library included. Needs Linux, 20 GB of memory, and minutes for each preset.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { measure: { type: 'boolean' } },
});
const core = (path) => import(new URL(`../dist/src/core/${path}.js`, import.meta.url).href);

if (options.measure) console.log(JSON.stringify(await measure(positionals[0])));
else await table();

async function table() {
  const { publishedPresets } = await core('config/presets/imagenet');
  const rows = publishedPresets.filter(({ published }) => published.table === 1).map(({ name }) => name);
  console.log('| preset | parameters | loss of D | loss of E and G | seconds to start | seconds a step | memory, GB |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const name of positionals.length > 0 ? positionals : rows) {
    const args = ['--expose-gc', fileURLToPath(import.meta.url), '--measure', name];
    const output = execFileSync(process.execPath, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 26,
    });
    const { parameters, report, start, step, memory, without } = JSON.parse(output.trim().split('\n').at(-1));
    const losses = [report.loss_d, report.loss_eg];
    if (!losses.every(Number.isFinite)) throw new Error(`${name}: losses ${losses}`);
    if (without.length > 0) throw new Error(`${name}: no gradient for ${without.join(', ')}`);
    const numbers = [
      `${(parameters / 1e6).toFixed(1)} M`,
      ...losses.map((loss) => loss.toFixed(3)),
      start.toFixed(0),
      step.toFixed(1),
      memory.toFixed(1),
    ];
    console.log(`| ${name} | ${numbers.join(' | ')} |`);
  }
}

/** Zeros and ones as they are; in place of orthogonal kernels, whose factorisation would take minutes, even random numbers. */
function initial(name, shape, { kind, value }) {
  const length = shape.reduce((product, n) => product * n, 1);
  const data = new Float32Array(length);
  if (kind === 'constant') return value === 0 ? data : data.fill(value);
  const largest = Math.sqrt((3 * shape.at(-1)) / length);
  let state = [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), 0x811c9dc5) | 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = largest * (state / 2 ** 31);
  }
  return data;
}

async function measure(preset) {
  const { startEngine } = await core('backend/engine');
  const { resolveConfig } = await core('config/resolve');
  const { runVariables } = await core('train/initial');
  const { createTrainer } = await core('train/trainer');
  const { imageResolution } = await core('model/config');
  const config = resolveConfig({ preset, batchSize: 2, settings: ['train.statisticsBatches=1'] });
  const engine = await startEngine({});
  const side = imageResolution(config.model);
  const images = (n, seed) =>
    Uint8Array.from(
      { length: n * side * side * config.model.channels },
      (_, i) => 127.5 + 127 * Math.sin(i * (seed + 0.1)),
    );
  const begun = performance.now();
  const values = new Map(
    runVariables(config).map(({ name, shape, initialiser }) => [
      name,
      { shape, data: initial(name, shape, initialiser) },
    ]),
  );
  const trainer = createTrainer(engine, { config, values, execution: 'traced', sheetImages: 2 });
  values.clear();
  globalThis.gc();
  const started = performance.now();
  const n = config.train.discriminatorSteps * config.train.batchSize;
  trainer.step(0, images(n, 2));
  const first = performance.now();
  // A second step, since the gates of non-local blocks are closed in the first.
  const report = trainer.step(1, images(n, 3));
  const done = performance.now();
  // β1 is 0, so that Adam's first moment is the last gradient. Where all hinges are open, those of the scores' biases cancel.
  let parameters = 0;
  const without = [];
  for (const [name, { data }] of trainer.values()) {
    if (!name.startsWith('adam/m/')) continue;
    parameters += data.length;
    if (!/score_\w+\/bias$/.test(name) && !data.some((value) => value !== 0 && Number.isFinite(value)))
      without.push(name.slice(7));
  }
  const memory = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1e6;
  return { parameters, report, start: (started - begun) / 1000, step: (done - first) / 1000, memory, without };
}
