/** The 2015 Inception network on the command line. */
import { type Command, Option } from 'commander';
import { MODES, type Mode } from '../../core/inception/modes.js';

export interface InceptionOptions {
  inceptionWeights?: string;
  mode?: Mode;
}

/** `--inception-weights`, `--mode`. */
export function inceptionOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--inception-weights <file>',
        'weights of the 2015 Inception network, with which --extractor is inception unless stated: ' +
          'classify_image_graph_def.pb, pt_inception-2015-12-05-6726825d.pth, or .safetensors; nothing is downloaded',
      ).env('BIGBIGAN_INCEPTION'),
    )
    .addOption(
      new Option(
        '--mode <mode>',
        'how images are brought to 299 x 299 for inception and nsfwjs: tf, bilinear as in the released network; clean, antialiased ' +
          'bicubic (clean-fid); pytorch, bilinear between centres (pytorch-fid) (default: tf)',
      ).choices(MODES),
    );
}
