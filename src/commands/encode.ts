import { Command } from 'commander';
import { usage } from '../core/errors.js';
import { checkOutputs, ENCODE_DEFAULTS, type EncodeOutput } from '../core/trained/defaults.js';
import { requireModel } from '../core/trained/require-model.js';
import { interruptible } from './interruptible.js';
import { refuseGiven } from './options/given.js';
import { type ModelOptions, modelOptions, modelSettings } from './options/model-options.js';
import {
  type EngineOptions,
  engineOptions,
  examples,
  type OutputOptions,
  outputOptions,
  wholeNumber,
} from './options/options.js';
import { createReport } from './report.js';

interface EncodeOptions extends ModelOptions, OutputOptions, EngineOptions {
  data?: string;
  out?: string;
  outputs: EncodeOutput[];
  seed: number;
  force?: boolean;
}

export function encodeCommand(): Command {
  const command = new Command('encode')
    .summary("write the encoder's features of images")
    .description(
      'Run the encoder on images and write a features folder: one .npy of float32 rows for each output, labels.npy and ' +
        'ids.txt where the images have them, and features.json. Row i is image i. Outputs: avepool (global average pool), ' +
        'bn_crelu (its parameter-free batch norm and CReLU), z_mean, z_std, z_sample, and pixels (the images themselves, ' +
        '0 to 1: the baseline that needs no model).',
    )
    .option(
      '--data <images>',
      'dataset; folder, zip or tar of images; .npy or .npz of uint8 images; or - for an .npy stream',
    )
    .option('--out <dir>', 'features folder to write')
    .option('--outputs <names>', 'outputs to write', outputNames, ENCODE_DEFAULTS.outputs)
    .option('--seed <n>', 'seed of z_sample', wholeNumber, ENCODE_DEFAULTS.seed)
    .option('--force', 'replace an existing features folder');
  outputOptions(engineOptions(modelOptions(command))).action(encode);
  return examples(command, [
    'bigbigan encode --run runs/mnist --data mnist-test --out features/test',
    'bigbigan encode --data mnist-test --outputs pixels --out features/test-pixels',
    'bigbigan generate --run runs/mnist --count 1000 --out - | bigbigan encode --run runs/mnist --data - --out features/fake',
  ]);
}

function outputNames(text: string): EncodeOutput[] {
  const names = text.split(',');
  checkOutputs(names);
  return names as EncodeOutput[];
}

async function encode(options: EncodeOptions, command: Command): Promise<void> {
  using report = createReport(options);
  const { outputs, data, out } = options;
  if (outputs.some((name) => name !== 'pixels')) requireModel(options);
  else
    refuseGiven(
      command,
      ['--run', '--checkpoint', '--model', '--weights', '--precision'],
      'does not go with --outputs pixels alone',
      'pixels need no model',
    );
  if (data === undefined) throw usage('--data is missing: the images to encode');
  if (out === undefined) throw usage('--out is missing: the features folder to write');
  const { encode } = await import('../core/trained/encode.js');
  const settings = { ...options, ...modelSettings(options), data, out };
  const result = await interruptible(report, (signal) =>
    encode(settings, { threads: options.threads, on: report.on, signal }),
  );
  report.result(result, out);
}
