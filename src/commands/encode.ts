import { Command } from 'commander';
import { usage } from '../core/errors.js';
import { packageVersion } from '../core/version.js';
import { refuseGiven } from './options/given.js';
import { type ModelOptions, modelOptions, requireModel, startModel } from './options/model-options.js';
import {
  type EngineOptions,
  engineOptions,
  examples,
  type OutputOptions,
  outputOptions,
  wholeNumber,
} from './options/options.js';
import { refuseFileName } from './options/output-file.js';
import { createReport } from './report.js';

const OUTPUTS = ['avepool', 'bn_crelu', 'z_mean', 'z_std', 'z_sample', 'pixels'];
const DEFAULT_OUTPUTS = OUTPUTS.slice(0, -1);

interface EncodeOptions extends ModelOptions, OutputOptions, EngineOptions {
  data?: string;
  out?: string;
  outputs: string[];
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
    .option('--data <images>', 'dataset, folder of images, .npy of uint8 images, or - for an .npy stream')
    .option('--out <dir>', 'features folder to write')
    .option('--outputs <names>', 'outputs to write', (text: string) => text.split(','), DEFAULT_OUTPUTS)
    .option('--seed <n>', 'seed of z_sample', wholeNumber, 0)
    .option('--force', 'replace an existing features folder');
  outputOptions(engineOptions(modelOptions(command))).action(encode);
  return examples(command, [
    'bigbigan encode --run runs/mnist --data mnist-test --out features/test',
    'bigbigan encode --data mnist-test --outputs pixels --out features/test-pixels',
    'bigbigan generate --run runs/mnist --count 1000 --out - | bigbigan encode --run runs/mnist --data - --out features/fake',
  ]);
}

async function encode(options: EncodeOptions, command: Command): Promise<void> {
  const report = createReport(options);
  const unknown = options.outputs.find((name) => !OUTPUTS.includes(name));
  if (unknown !== undefined) throw usage(`there is no output "${unknown}"`, `outputs: ${OUTPUTS.join(', ')}`);
  const needsModel = options.outputs.some((name) => name !== 'pixels');
  if (needsModel) requireModel(options);
  else
    refuseGiven(
      command,
      ['--run', '--checkpoint', '--model', '--weights', '--precision'],
      'does not go with --outputs pixels alone',
      'pixels need no model',
    );
  if (options.data === undefined) throw usage('--data is missing: the images to encode');
  if (options.out === undefined) throw usage('--out is missing: the features folder to write');

  refuseFileName(options.out, 'a folder, which gets an .npy for each output,');
  const started = Date.now();
  const { openImages } = await import('../core/data/images/images.js');
  const { encodeImages } = await import('../core/trained/encode-images.js');
  const { NO_MODEL } = await import('../core/trained/provenance.js');
  const images = await openImages(options.data, needsModel ? await encoderInput(options) : {});
  const model = needsModel ? await startModel(options, report) : undefined;
  const progress = report.progress('encode', images.count);
  const { rows, repeated } = await encodeImages({
    ...model,
    images,
    out: options.out,
    outputs: options.outputs,
    batchSize: options.batchSize,
    seed: options.seed,
    force: options.force,
    version: packageVersion,
    onRows: (done) => progress.update(done),
  });
  progress.stop();
  await images.close();
  if (repeated) report.note(`${options.out} holds these features already`);
  report.result(
    {
      out: options.out,
      rows,
      outputs: options.outputs,
      data: options.data,
      data_digest: images.digest ?? null,
      ...(model?.model.provenance ?? NO_MODEL),
      seed: options.seed,
      version: packageVersion,
      seconds: (Date.now() - started) / 1000,
    },
    options.out,
  );
}

/** Known without the engine, so that what is wrong with model or images is said at once. */
async function encoderInput(options: EncodeOptions) {
  const { describeModel } = await import('../core/trained/open-model.js');
  const { height, channels } = (await describeModel(options)).input;
  return { resolution: height, channels: channels as 1 | 3 };
}
