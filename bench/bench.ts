/** `npm run bench`: a training step, G and E timed against PyTorch on this machine. See docs/performance.md. */

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';
import { positiveInteger } from '../src/commands/options/options.js';
import { processorFeatures } from '../src/core/backend/install/device.js';
import { UserError } from '../src/core/errors.js';
import { estimateRun } from '../src/core/train/estimate.js';
import { agreement } from './agreement.js';
import { dataTable, decodingRates } from './data.js';
import { extractorRates, extractorTable } from './inception.js';
import { findProbesPython, probeRates, probesTable } from './probes.js';
import { bestPeaks, resultOf } from './result.js';
import { measure, type Rounds } from './rounds.js';
import { benchConfig, type SettingName, settingNames } from './settings.js';
import { findTorch, startOurs, type Torch } from './systems.js';
import { peakText, settingTable } from './table.js';
import { measureTraining, trainingTable } from './train.js';

/** For the test of this program. */
const small = process.env.BENCH_SIZE === 'small';

interface Options {
  rounds: number;
  only?: SettingName[];
  compile?: boolean;
  json?: boolean;
}

const command = new Command('npm run bench --')
  .description(
    'Time a training step and inference against PyTorch, in turn, on the same\n' +
      'networks. Ratios are ours over theirs within a round, their median.\n' +
      'BENCH_PYTHON names the Python with PyTorch (default: python3, if it has it).',
  )
  .exitOverride()
  .addArgument(
    new Argument(
      '[part]',
      'all; the step alone; check that PyTorch computes the same; fid: its network; probes: neighbours and classifiers, against faiss and scikit-learn; ours alone: data, decoding, or train, runs',
    )
      .choices(['all', 'step', 'check', 'data', 'train', 'fid', 'probes'])
      .default('all'),
  )
  .option('--rounds <n>', 'rounds; of data, batches of 64', positiveInteger, 15)
  .option('--only <names>', `settings to run, of ${settingNames.join(', ')} (default: ch16,ch32)`, settingList)
  .option('--compile', 'torch.compile too, which takes minutes to start')
  .option('--json', 'print the result as one JSON object')
  .action(async (part: string, options: Options) => {
    const alone = part === 'data' || part === 'train' || part === 'probes';
    const torch = alone ? undefined : findTorch(process.env.BENCH_PYTHON);
    if (!torch && !alone)
      note(`no PyTorch in ${process.env.BENCH_PYTHON ?? 'python3'}: ours alone is timed; BENCH_PYTHON names another`);
    const folder = mkdtempSync(join(tmpdir(), 'bigbigan-bench-'));
    try {
      if (part === 'data') await decode(options, folder);
      else if (part === 'probes') await probes(options, folder);
      else if (part === 'fid') await extract(options, torch, folder);
      else if (part === 'train') await trainRuns(options, folder);
      else await (part === 'check' ? check(options, torch, folder) : time(part, options, torch, folder));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

async function time(part: string, options: Options, torch: Torch | undefined, folder: string): Promise<void> {
  const inference = part === 'all';
  const step: Record<string, ReturnType<typeof resultOf>> = {};
  const peaks: Rounds['peaks'] = [];
  for (const name of options.only ?? (['ch16', 'ch32'] as const)) {
    const config = benchConfig(name);
    const rounds = await measure(name, {
      rounds: options.rounds,
      inference,
      compile: !!options.compile,
      torch,
      folder,
      note,
    });
    step[name] = resultOf(rounds, estimateRun(config).flops_per_step, config.train.batchSize);
    peaks.push(...rounds.peaks);
    if (!options.json) print(`${settingTable(name, step[name])}\n`);
  }
  const peak_gflops = bestPeaks(peaks);
  if (options.json) print(JSON.stringify({ machine: await machine(torch), rounds: options.rounds, step, peak_gflops }));
  else print(peakText(peak_gflops));
}

async function check(options: Options, torch: Torch | undefined, folder: string): Promise<void> {
  if (!torch)
    throw new UserError('there is no PyTorch to compare with', { hint: 'name a Python that has it in BENCH_PYTHON' });
  for (const name of options.only ?? (['ch16'] as const)) {
    const result = await agreement(name, torch, folder);
    print(options.json ? JSON.stringify(result) : `${name}\n${JSON.stringify(result, null, 2)}`);
  }
}

async function probes({ rounds, json }: Options, folder: string): Promise<void> {
  const python = await findProbesPython(process.env.BENCH_PYTHON);
  if (!python) note('BENCH_PYTHON names no Python with faiss, scikit-learn and threadpoolctl: ours alone is timed');
  const rates = await probeRates(folder, Math.min(rounds, 3), python, small);
  print(
    json
      ? JSON.stringify({ processor: cpus()[0]?.model ?? 'unknown', node: process.versions.node, probes: rates })
      : probesTable(rates),
  );
}

async function decode({ rounds, json }: Options, folder: string): Promise<void> {
  const data = await decodingRates(folder, rounds, small);
  print(
    json
      ? JSON.stringify({ processor: cpus()[0]?.model ?? 'unknown', node: process.versions.node, data })
      : dataTable(data),
  );
}

async function trainRuns({ rounds, json }: Options, folder: string): Promise<void> {
  const train = await measureTraining(folder, rounds, note);
  print(
    json
      ? JSON.stringify({ processor: cpus()[0]?.model ?? 'unknown', node: process.versions.node, train })
      : trainingTable(train),
  );
}

async function extract({ rounds, json }: Options, torch: Torch | undefined, folder: string): Promise<void> {
  const fid = await extractorRates(folder, rounds, torch);
  print(json ? JSON.stringify({ machine: await machine(torch), rounds, fid }) : extractorTable(fid));
}

async function machine(torch: Torch | undefined) {
  const ours = startOurs('ours');
  const { tensorflow, threads } = await ours.ask<{ tensorflow: string; threads: number }>({ do: 'describe' });
  ours.close();
  const processor = cpus()[0]?.model ?? 'unknown';
  return {
    processor,
    features: processorFeatures(),
    threads,
    node: process.versions.node,
    tensorflow,
    torch: torch?.version ?? null,
  };
}

function settingList(text: string): SettingName[] {
  const names = text.split(',');
  const unknown = names.find((name) => !settingNames.includes(name as SettingName));
  if (unknown !== undefined) throw new InvalidArgumentError(`there is no setting "${unknown}".`);
  return names as SettingName[];
}

function note(words: string): void {
  process.stderr.write(`${words}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  await command.parseAsync();
} catch (error) {
  // Commander has printed its own errors, and --help is one of them, with code 0.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof UserError) {
    note([`error: ${error.message}`, ...(error.hint ? [`hint: ${error.hint}`] : [])].join('\n'));
    process.exitCode = error.exitCode;
  } else throw error;
}
