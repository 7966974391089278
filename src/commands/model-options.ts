/** Options of the commands that use a trained model. */
import { Option, type Command } from 'commander';
import { usage } from '../core/errors.js';
import { positiveInteger } from './options.js';

export interface ModelOptions {
  run?: string;
  checkpoint?: string;
  weights: 'average' | 'trained';
  batchSize: number;
}

/** `--run`, `--checkpoint`, `--weights`, `--batch-size`. */
export function modelOptions(command: Command): Command {
  return command
    .option('--run <dir>', 'run whose newest checkpoint is used')
    .addOption(new Option('--checkpoint <file>', 'this checkpoint').conflicts('run'))
    .addOption(
      new Option('--weights <which>', 'moving average of the weights, or as last trained')
        .choices(['average', 'trained'])
        .default('average'),
    )
    .option('--batch-size <n>', 'images at once; results do not depend on it', positiveInteger, 200);
}

export function requireModel({ run, checkpoint }: ModelOptions): void {
  if (run === undefined && checkpoint === undefined) throw usage('--run or --checkpoint is missing: which model to use');
}
