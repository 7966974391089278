/** Options of `bigbigan linear-probe`, and which of them have no effect. */
import type { Command } from 'commander';
import { usage } from '../../core/errors.js';
import type { ProbeQuestion } from '../../core/evaluation/probe/probe-question.js';
import { allowGiven, refuseGiven } from '../options/given.js';
import type { EngineOptions, OutputOptions } from '../options/options.js';
import { type AugmentOptions, checkAugmentOptions } from './augment-options.js';

export interface ProbeOptions
  extends OutputOptions,
    EngineOptions,
    AugmentOptions,
    Omit<ProbeQuestion, 'train' | 'test' | 'seed' | 'augment'> {
  train?: string[];
  test?: string[];
  apply?: string;
  seeds: number[];
  out?: string;
  confusionOut?: string;
  force?: boolean;
}

const APPLYING = [
  '--apply',
  '--test',
  '--feature',
  '--confusion-out',
  '--force',
  '--threads',
  '--json',
  '--quiet',
  '--verbose',
];
const OF_BATCHES = ['--learning-rates', '--steps', '--epochs', '--batch-size', '--schedule', '--average'];
const OF_LBFGS = ['--iterations', '--tolerance', '--state'];

/** Gives the folders to test. @throws UserError for options that are missing, or would have no effect */
export function checkProbeOptions(options: ProbeOptions, command: Command): string[] {
  const { test, apply, solver } = options;
  if (!test) throw usage('--test is missing: the features to test on');
  checkAugmentOptions(options);
  if (apply) allowGiven(command, APPLYING, 'does not go with --apply', 'it trains nothing');
  if (solver === 'lbfgs') {
    refuseGiven(
      command,
      OF_BATCHES,
      'does not go with --solver lbfgs',
      'it takes all rows at once and finds its own step: see --iterations and --tolerance',
    );
  } else refuseGiven(command, OF_LBFGS, `does not go with --solver ${solver}`, 'it is for --solver lbfgs');
  return test;
}

/** The options that are settings of the library. */
export function choices({ augment, flip, data, run, checkpoint, model, ...others }: ProbeOptions) {
  const { json, quiet, verbose, threads, ...settings } = others;
  return settings;
}
