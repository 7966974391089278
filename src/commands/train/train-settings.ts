/** The settings that `bigbigan train` is asked for: its options, and a file. */
import { readFile } from 'node:fs/promises';
import { expected } from '../../core/errors.js';
import type { Estimate } from '../../core/train/estimate.js';
import type { RunSettings } from '../../core/train/resolve-run.js';
import type { ExecutionOptions } from '../options/model-options.js';

export interface SettingOptions extends ExecutionOptions {
  run?: string;
  preset?: string;
  config?: string;
  set?: string[];
  steps?: number;
  batchSize?: number;
  microbatch?: number;
  seed?: number;
  classes?: number;
  objective?: string[];
}

/** What the options ask for. */
export async function runSettings(options: SettingOptions): Promise<RunSettings> {
  const { run, preset, config, seed, steps, batchSize, microbatch, classes, precision } = options;
  return {
    run,
    preset,
    partial: config === undefined ? undefined : { values: await readConfigFile(config), source: config },
    settings: options.set,
    seed,
    steps,
    batchSize,
    microbatch,
    scores: options.objective,
    classes,
    precision,
    execution: options.eager ? 'eager' : 'traced',
  };
}

/** What --dry-run --json prints beside the settings. */
const ESTIMATED: Record<keyof Estimate, true> = {
  parameters: true,
  state_bytes: true,
  gradient_bytes: true,
  activation_bytes: true,
  flops_per_step: true,
};

/** A file of settings, which may be the output of --dry-run --json or the config.json of a run. */
async function readConfigFile(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw expected('a readable file', '--config', `${path} (${error.code})`);
  });
  let settings: unknown;
  try {
    settings = JSON.parse(text);
  } catch (error) {
    throw expected('JSON', path, (error as Error).message);
  }
  if (settings?.constructor !== Object) return settings;
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !Object.hasOwn(ESTIMATED, key)));
}
