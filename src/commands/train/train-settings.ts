/** The settings that `bigbigan train` is asked for: its options, a file, or the run that goes on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Overrides } from '../../core/config/resolve.js';
import { expected } from '../../core/errors.js';
import type { Estimate } from '../../core/train/estimate.js';
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

/** What the options ask for, on top of the earlier run where there is one. */
export async function overrides(options: SettingOptions): Promise<Overrides> {
  const earlier = await earlierConfig(options.run);
  const { preset, config = preset === undefined ? earlier?.path : undefined } = options;
  return {
    preset,
    partial: config === undefined ? undefined : { values: await readConfigFile(config), source: config },
    settings: options.set,
    seed: options.seed,
    steps: options.steps,
    batchSize: options.batchSize,
    microbatch: options.microbatch,
    scores: options.objective,
    classes: options.classes,
    precision: options.precision,
    // A run goes on in the arithmetic that it began with, whatever the machine.
    usualPrecision: earlier?.precision,
  };
}

async function earlierConfig(run: string | undefined) {
  if (run === undefined) return undefined;
  const { readRunConfig } = await import('../../core/run/run-folder.js');
  const config = await readRunConfig(run);
  return config && { path: join(run, 'config.json'), precision: config.train?.precision };
}

/** What --dry-run --json prints beside the settings. */
const ESTIMATED: Record<keyof Estimate, true> = {
  parameters: true,
  state_bytes: true,
  gradient_bytes: true,
  activation_bytes: true,
  flops_per_step: true,
};

/** Settings, also as the output of --dry-run --json or the config.json of a run. */
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
