/** Options of `train` for evaluations on the way. */

import { type Command, Option } from 'commander';
import { usage } from '../../core/errors.js';
import { EVALUATED_IMAGES } from '../../core/train/defaults.js';
import type { EvaluationRequest } from '../../core/train/evaluation/open-evaluation.js';
import { SELECTIONS, type Selection } from '../../core/train/evaluation/selection.js';
import { refuseGiven } from '../options/given.js';
import { positiveInteger, wholeNumber } from '../options/options.js';

export interface EvaluationOptions {
  evalEvery: number;
  evalData?: string;
  evalImages?: number;
  evalExtractor?: string;
  inceptionWeights?: string;
  select?: Selection;
  patience?: number;
}

/** For the description of the command. */
export const EVALUATIONS =
  'With --eval-every, lines of metrics.jsonl say on the way what the model is worth, on the averaged weights of a checkpoint: ' +
  'knn.top1 and linear_probe.top1 of one half of the images by the other, with labels; reconstruct.l1_ratio; encoder, how z is ' +
  'spread over the images against the prior; and fid.frechet_distance, with --eval-extractor. Training itself goes the same way. ' +
  'Without --eval-data the images are among those trained on. With --select, the checkpoint of the best evaluation stays as ' +
  'checkpoints/best.safetensors, for --checkpoint of other commands; --patience ends training when nothing better comes, with ' +
  'exit code 0, and the run counts as finished. None of this is a setting of the run: give the options again when it goes on; ' +
  'it warns where they are missing, or where numbers do not compare with those before.';

/**
 * `--eval-every`, `--eval-data`, `--eval-images`, `--eval-extractor`, `--inception-weights`, `--select`, `--patience`.
 */
export function evaluationOptions(command: Command): Command {
  return command
    .option(
      '--eval-every <n>',
      'steps between evaluations, each a line of metrics.jsonl; the last step is one too; 0 for none',
      wholeNumber,
      0,
    )
    .option(
      '--eval-data <dir>',
      'dataset that is evaluated, of images as --data must have; labelled for kNN and linear probe (default: that of --data)',
    )
    .option(
      '--eval-images <n>',
      `images that are evaluated, always the same random ones; one half fits the probe and votes, the other is tested (default: ${EVALUATED_IMAGES})`,
      positiveInteger,
    )
    .option(
      '--eval-extractor <network>',
      "network for the Fréchet distance to as many of G's images, as --extractor of bigbigan fid: inception, encoder:RUN or " +
        'saved-model:DIR (default: no distance)',
    )
    .addOption(
      new Option(
        '--inception-weights <file>',
        'weights for --eval-extractor inception, as bigbigan fid takes them',
      ).env('BIGBIGAN_INCEPTION'),
    )
    .addOption(
      new Option(
        '--select <metric>',
        'keep the best evaluation as checkpoints/best.safetensors, whatever --keep says (default: none)',
      ).choices(Object.keys(SELECTIONS)),
    )
    .option(
      '--patience <n>',
      'stop after so many evaluations without a better one by --select (default: never)',
      positiveInteger,
    );
}

/** @throws UserError for options that do nothing without another one */
export function checkEvaluationOptions(
  { evalEvery, evalData, evalImages, evalExtractor, select, patience }: EvaluationOptions,
  command: Command,
): void {
  if (patience !== undefined && select === undefined)
    throw usage('--patience needs --select: which metric is to improve');
  const given = {
    '--eval-data': evalData,
    '--eval-images': evalImages,
    '--eval-extractor': evalExtractor,
    '--select': select,
  };
  const needing = Object.entries(given).find(([, value]) => value !== undefined);
  if (needing && evalEvery === 0) throw usage(`${needing[0]} needs --eval-every N: the steps between evaluations`);
  if (evalExtractor !== 'inception') {
    refuseGiven(
      command,
      ['--inception-weights'],
      'needs --eval-extractor inception',
      'they are the weights of that network',
    );
  }
  if (select === 'fid' && evalExtractor === undefined)
    throw usage('--select fid needs --eval-extractor: whose features are compared');
}

/** Undefined without --eval-every. */
export function evaluationRequest(options: EvaluationOptions): EvaluationRequest | undefined {
  const { evalEvery: every, evalData: data, evalImages: images, evalExtractor: extractor } = options;
  const { inceptionWeights, select, patience } = options;
  if (every === 0) return undefined;
  return { every, data, images, extractor, inceptionWeights, select, patience };
}
