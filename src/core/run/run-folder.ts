/** A run on disk: config.json, data.json, log.jsonl, metrics.jsonl, checkpoints/ and samples/. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Config } from '../config/config.js';
import { expected, UserError } from '../errors.js';
import { writeAtomic } from '../formats/atomic.js';
import { makeFolder } from '../formats/make-folder.js';
import { targetOf } from '../formats/temporary-name.js';
import { isRun, notACheckpoint, notARun } from './not-a-run.js';

export interface RunFolder {
  path: string;
  log: string;
  /** One line an evaluation. */
  metrics: string;
  /** Held by the process that trains. */
  lock: string;
  checkpoint(step: number): string;
  /** Another name of the checkpoint that evaluations found best. */
  best: string;
  samples(step: number, seed: number): string;
  reconstructions(step: number): string;
}

export function runFolder(path: string): RunFolder {
  const digits = (step: number) => String(step).padStart(8, '0');
  return {
    path,
    log: join(path, 'log.jsonl'),
    metrics: join(path, 'metrics.jsonl'),
    lock: join(path, 'lock'),
    checkpoint: (step) => join(path, 'checkpoints', `${digits(step)}.safetensors`),
    best: join(path, 'checkpoints', 'best.safetensors'),
    samples: (step, seed) => join(path, 'samples', `${digits(step)}-seed${seed}.png`),
    reconstructions: (step) => join(path, 'samples', `${digits(step)}-reconstructions.png`),
  };
}

/** Makes the folder of a run; one that holds other things is refused. */
export async function makeRunFolder(path: string): Promise<void> {
  const present = await entries(path);
  const foreign = present.find((name) => !name.startsWith(basename(runFolder(path).lock)) && !isLeftover(name));
  if (foreign !== undefined && !present.includes('config.json')) {
    throw expected('an empty folder or a run', `--run ${path}`, `a folder with ${foreign}`, 'choose another folder');
  }
  await makeFolder(path);
}

/**
 * Makes the folder, or continues with an existing one: records the config, and removes the unfinished files of a
 * process that was killed while it wrote. Nobody else may be training the run.
 */
export async function beginRun(path: string, config: Config): Promise<void> {
  await makeRunFolder(path);
  await writeConfig(path, config);
  for (const folder of [path, join(path, 'checkpoints'), join(path, 'samples')]) {
    await makeFolder(folder);
    for (const name of (await readdir(folder)).filter(isLeftover)) await rm(join(folder, name), { force: true });
  }
}

/** Whether this is the temporary name of a file that training writes. */
function isLeftover(name: string): boolean {
  return /^(config\.json|data\.json|(\d{8,}|best)\.safetensors|\d{8,}-(seed\d+|reconstructions)\.png)$/.test(
    targetOf(name) ?? '',
  );
}

/** Removes all but the newest `keep` checkpoints. */
export async function pruneCheckpoints(path: string, keep: number): Promise<void> {
  const all = await listCheckpoints(path);
  for (const old of all.slice(0, Math.max(0, all.length - keep))) await rm(old.path, { force: true });
}

async function writeConfig(path: string, config: Config): Promise<void> {
  await writeAtomic(join(path, 'config.json'), async (handle) => {
    await handle.writeFile(`${JSON.stringify(config, null, 2)}\n`);
  });
}

/** The config of a run, or undefined when the folder holds none. */
export async function readRunConfig(path: string): Promise<Config | undefined> {
  let text: string;
  try {
    text = await readFile(join(path, 'config.json'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') throw expected('a folder', `--run ${path}`, 'a file');
    throw error;
  }
  try {
    return JSON.parse(text) as Config;
  } catch {
    throw expected('JSON', join(path, 'config.json'), 'something else');
  }
}

/** Paths of the checkpoints with their steps, oldest first. */
export async function listCheckpoints(path: string): Promise<{ step: number; path: string }[]> {
  const names = await entries(join(path, 'checkpoints'));
  return names
    .map((name) => /^(\d{8,})\.safetensors$/.exec(name))
    .filter((match) => match !== null)
    .map((match) => ({ step: Number(match[1]), path: join(path, 'checkpoints', match[0]) }))
    .sort((a, b) => a.step - b.step);
}

/** The newest checkpoint of a run, or the file itself when a checkpoint is named. */
export async function findCheckpoint(source: { run?: string; checkpoint?: string }): Promise<string> {
  if (source.checkpoint !== undefined) {
    const mistake = await notACheckpoint(source.checkpoint);
    if (mistake) throw mistake;
    return source.checkpoint;
  }
  const run = source.run!;
  const newest = (await listCheckpoints(run).catch(() => [])).at(-1);
  if (newest) return newest.path;
  if (!(await isRun(run))) throw await notARun(run, '--run');
  throw new UserError(`the run ${run} has no checkpoint yet`, {
    hint: 'it is written by bigbigan train at intervals and at the end',
  });
}

async function entries(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') throw expected('a folder', path, 'a file');
    throw error;
  }
}
