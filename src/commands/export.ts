import { Command, Option } from 'commander';
import type { Precision } from '../core/backend/precision.js';
import { usage } from '../core/errors.js';
import { EXPORT_DEFAULTS } from '../core/trained/defaults.js';
import { requireCheckpoint } from '../core/trained/require-model.js';
import { type CheckpointOptions, checkpointOptions } from './options/model-options.js';
import { examples, type OutputOptions, outputOptions } from './options/options.js';
import { createReport } from './report.js';

interface ExportOptions extends CheckpointOptions, OutputOptions {
  out?: string;
  precision: Precision;
  force?: boolean;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .summary('write a trained model as a SavedModel')
    .description(
      'Write the networks as a TensorFlow SavedModel (tag serve), which TensorFlow Serving and Python load, and ' +
        "--model of encode, generate and reconstruct too. Signatures, with the published BigBiGAN modules' names:\n" +
        '  generate         z -> default\n' +
        '  encode           x -> z_mean, z_stdev, z_sample, avepool_feat,\n' +
        '                   bn_crelu_feat, default (z_mean)\n' +
        '  discriminate     x, z -> score_xz, score_x, score_z (those there are)\n' +
        '  serving_default  x -> default (z_mean); also named default\n' +
        'A model of several labels takes them as y, int32 [n], in generate and discriminate; one without an encoder has no ' +
        'encode, and serving_default is generate. Images are float32 [n, height, width, channels] from -1 to 1, latents float32 [n, latent], for any n. The ' +
        'weights are constants of the graph. bigbigan.json beside it says where they come from. The published ' +
        'modules\' output "upsampled" is left out.',
    );
  checkpointOptions(command)
    .option('--out <dir>', 'folder to write')
    .addOption(
      new Option('--precision <type>', 'arithmetic inside; inputs and outputs are float32')
        .choices(['float32', 'bf16'])
        .default(EXPORT_DEFAULTS.precision),
    )
    .option('--force', 'replace an exported model');
  outputOptions(command).action(exportTo);
  return examples(command, [
    'bigbigan export --run runs/mnist --out mnist-model',
    'bigbigan generate --model mnist-model --out samples.png',
    `python3 -c "import tensorflow as tf; print(tf.saved_model.load('mnist-model').signatures['generate'])"`,
  ]);
}

async function exportTo(options: ExportOptions): Promise<void> {
  requireCheckpoint(options);
  const { out } = options;
  if (out === undefined) throw usage('--out is missing: the folder to write');
  using report = createReport(options);
  const { exportModel } = await import('../core/trained/export-model.js');
  const result = await exportModel({ ...options, out }, { on: report.on });
  report.result(result, out);
}
