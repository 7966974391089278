/** Options of `bigbigan fid`, and which of them have no effect. */
import type { Command } from 'commander';
import { SCORES, type ScoreName, type ScoreSettings } from '../../core/evaluation/fid/scores/scores.js';
import { refuseGiven } from '../options/given.js';
import type { InceptionOptions } from '../options/inception-options.js';
import type { EngineOptions, OutputOptions } from '../options/options.js';

export interface FidOptions extends OutputOptions, EngineOptions, InceptionOptions, ScoreSettings {
  extractor?: string;
  feature?: string;
  metrics: ScoreName[];
  batchSize: number;
  statsOut?: string;
  shard?: [number, number];
  out?: string;
  merge?: string[];
  force?: boolean;
}

/** Options of scores that are not asked for. */
export function checkEffects(command: Command, { metrics, out, statsOut }: FidOptions): void {
  const refuse = (wanted: boolean, names: readonly string[], of: string) =>
    wanted || refuseGiven(command, names, `has no effect without ${of}`, `add ${of}, or leave it out`);
  for (const { name, options, uses = [] } of SCORES) {
    const flags = options.map((option) => option.flags.split(' ')[0]);
    refuse(metrics.includes(name), [...flags, ...uses], `--metrics ${name}`);
  }
  refuse(out !== undefined || statsOut !== undefined, ['--force'], '--stats-out or --out');
}
