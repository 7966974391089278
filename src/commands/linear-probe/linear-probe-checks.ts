/** What `bigbigan linear-probe` was asked, and whether it can be answered, before anything long begins. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { usage } from '../../core/errors.js';
import type { ProbeQuestion } from '../../core/evaluation/probe/probe.js';
import { checkOutputFile } from '../../core/formats/output-file.js';
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

export async function checkProbeOptions(options: ProbeOptions, command: Command): Promise<void> {
  const { train, test, apply, learningRates, penalties, holdout, out, confusionOut, state, force, solver, seeds } =
    options;
  if (!test) throw usage('--test is missing: the features to test on');
  checkAugmentOptions(options);
  if (apply) {
    allowGiven(command, APPLYING, 'does not go with --apply', 'it trains nothing');
    if (test.length > 1) throw usage('--apply takes one --test folder');
  } else if (!train) throw usage('--train is missing: the features to train on');
  else if (train.length !== test.length) {
    throw usage(
      `expected as many --test folders as --train folders, ${train.length}, got ${test.length}`,
      'they are used pair by pair',
    );
  }
  if (solver === 'lbfgs')
    refuseGiven(
      command,
      OF_BATCHES,
      'does not go with --solver lbfgs',
      'it takes all rows at once and finds its own step: see --iterations and --tolerance',
    );
  else refuseGiven(command, OF_LBFGS, `does not go with --solver ${solver}`, 'it is for --solver lbfgs');
  if (learningRates.some((rate) => rate === 0)) throw usage('expected numbers above 0 for --learning-rates, got 0');
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice !== undefined) throw usage(`seed ${twice} is named twice`, 'the same seed gives the same result');
  if (seeds.length > 1 && solver === 'lbfgs' && penalties.length === 1 && !holdout) {
    throw usage(
      'several seeds do not go with --solver lbfgs and one of --penalties',
      'nothing is left to chance: every seed gives the same result',
    );
  }
  if ((train?.length ?? 1) * seeds.length > 1 && (out || confusionOut || state)) {
    throw usage('--out, --confusion-out and --state are for one pair of folders and one seed', 'run them one by one');
  }
  await checkOutputs({ '--out': out, '--confusion-out': confusionOut, '--state': state }, force);
}

async function checkOutputs(outputs: Record<string, string | undefined>, force?: boolean): Promise<void> {
  const confusion = outputs['--confusion-out'];
  if (confusion && !/\.(png|npy)$/i.test(confusion))
    throw usage(`expected a .png or .npy file for --confusion-out, got ${confusion}`);
  const given = Object.entries(outputs).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const [i, [option, path]] of given.entries()) {
    const same = given.slice(0, i).find(([, other]) => resolve(other) === resolve(path));
    if (same) throw usage(`${same[0]} and ${option} name the same file, ${path}`, 'one would replace the other');
    await checkOutputFile(path, option === '--state' || force);
  }
}
