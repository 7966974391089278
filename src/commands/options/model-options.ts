/** Options of the commands that run the networks. */
import { type Command, Option } from 'commander';
import type { Precision } from '../../core/backend/precision.js';
import { MODEL_DEFAULTS } from '../../core/trained/defaults.js';
import { smallNumber } from './options.js';

export interface ExecutionOptions {
  precision?: Precision;
  eager?: boolean;
}

/** `--precision`, and `--eager`. */
export function executionOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--precision <type>',
        'arithmetic of the networks (default: bf16 where the processor has it, else float32)',
      ).choices(['float32', 'bf16']),
    )
    .addOption(new Option('--eager', 'run op by op in float32 instead of as one graph: to debug').hideHelp());
}

/** The options as settings of the library. */
export function modelSettings({ precision, eager }: ExecutionOptions) {
  return { precision, execution: eager ? ('eager' as const) : ('traced' as const) };
}

export interface CheckpointOptions {
  run?: string;
  checkpoint?: string;
  weights: 'average' | 'trained';
}

/** `--run`, `--checkpoint`, `--weights`. */
export function checkpointOptions(command: Command): Command {
  return command
    .option('--run <dir>', 'run whose newest checkpoint is used')
    .addOption(new Option('--checkpoint <file>', 'this checkpoint').conflicts('run'))
    .addOption(
      new Option('--weights <which>', 'moving average of the weights, or as last trained')
        .choices(['average', 'trained'])
        .default(MODEL_DEFAULTS.weights),
    );
}

export interface ModelOptions extends CheckpointOptions, ExecutionOptions {
  model?: string;
  batchSize: number;
}

/** `--run`, `--checkpoint`, `--weights`, `--model`, `--precision`, `--batch-size`. */
export function modelOptions(command: Command): Command {
  checkpointOptions(command).addOption(
    new Option(
      '--model <dir>',
      'in place of a run: a SavedModel, as bigbigan export writes it or as a published BigBiGAN module has it; ' +
        'weights and arithmetic are fixed in it',
    ).conflicts(['run', 'checkpoint', 'weights', 'precision', 'eager']),
  );
  return executionOptions(command).option(
    '--batch-size <n>',
    'images at once; results do not depend on it',
    smallNumber,
    MODEL_DEFAULTS.batchSize,
  );
}
