/** The config of a run; a run that exists already decides what is not asked for. */
import { join } from 'node:path';
import type { Execution } from '../backend/machine.js';
import type { Config } from '../config/config.js';
import { type Overrides, resolveConfig } from '../config/resolve.js';
import { checkSameRun } from '../run/checks.js';
import { readRunConfig } from '../run/run-folder.js';

export interface RunSettings extends Omit<Overrides, 'usualPrecision'> {
  /** Folder of the run. */
  run?: string;
  /** As one graph (default), or op by op in float32, which is for debugging. */
  execution?: Execution;
}

export interface ResolvedRun {
  config: Config;
  /** The config of the run that exists already; it may differ in the number of steps only. */
  earlier?: Config;
}

/**
 * Without a preset and settings of its own, a run goes on with the settings that it began with, and always in its
 * precision, whatever the machine.
 * @throws UserError for settings that cannot be, or are not those that the run was begun with
 */
export async function resolveRun({ run, execution, ...settings }: RunSettings): Promise<ResolvedRun> {
  const earlier = run === undefined ? undefined : await readRunConfig(run);
  const { preset, partial = preset === undefined && earlier ? ownSettings(run!, earlier) : undefined } = settings;
  const config = resolveConfig({ ...settings, partial, usualPrecision: earlier?.train?.precision });
  if (execution === 'eager') config.train.precision = 'float32';
  if (earlier) checkSameRun(run!, earlier, config);
  return { config, earlier };
}

const ownSettings = (run: string, values: Config) => ({ values, source: join(run, 'config.json') });
