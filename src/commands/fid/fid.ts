/** `bigbigan fid`: the distance between two sets of images in the features of a network. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { FID_BATCH_SIZE } from '../../core/evaluation/fid/defaults.js';
import { networkText } from '../../core/evaluation/fid/network-text.js';
import type { FidResult } from '../../core/evaluation/fid/result.js';
import {
  SCORE_DEFAULTS,
  SCORE_NAMES,
  SCORES,
  type ScoreName,
  scoreLines,
} from '../../core/evaluation/fid/scores/scores.js';
import { interruptible } from '../interruptible.js';
import { inceptionOptions } from '../options/inception-options.js';
import {
  engineOptions,
  examples,
  outputOptions,
  positiveInteger,
  shard,
  smallNumber,
  wholeNumber,
} from '../options/options.js';
import { createReport } from '../report.js';
import { checkEffects, type FidOptions } from './fid-options.js';

const SCORES_HELP = `
Scores, by their keys in --json:
${SCORES.map(({ help }) => help).join('\n')}

The paper's Table 3 has FID against the training and the validation images:
save statistics of both with --stats-out, of central squares of G's resolution,
and compare the same 50,000 samples with each.

A part of a set keeps rows only where --metrics has kid, pr or is; merged, all
scores are those of the set in one piece.`;

export function fidCommand(): Command {
  const command = new Command('fid')
    .summary('FID and its kin: how far two sets of images are apart')
    .description(
      'Prints the Fréchet distance between REAL and FAKE: how far the means and covariances of their features are ' +
        'apart; with --metrics also the Inception Score of FAKE, the kernel distance (KID), and precision and recall. ' +
        'Each of the two is a dataset, a folder, zip or tar of images (subfolders too), an .npy of uint8 images, - for an .npy stream, a ' +
        'features folder of encode, an .npy of float features [n, width], or an .npz: statistics (mu, sigma) of any tool, features ' +
        '(feats), or images (arr_0). Images need --extractor. Numbers are comparable only with others of the same network; they are the ' +
        "literature's FID, and called so, only in the features of the 2015 Inception network. Statistics of different " +
        'networks, weights or resize modes are refused.',
    )
    .argument('[real]', 'the reference; with --shard or --stats-out alone, the only set')
    .argument('[fake]', 'what is compared with it')
    .option(
      '--extractor <network>',
      'inception, the network of 2015 that FID is defined with (see bigbigan inception); encoder:RUN, the AvePool ' +
        'features of a trained encoder (a run folder or a checkpoint) in float32, as encode --precision float32 writes them; nsfwjs:DIR, the InceptionV3 of the npm package ' +
        'nsfwjs in DIR, trained on other pictures; or ' +
        'saved-model:DIR[:OUTPUT][@LOW,HIGH], an output of a TensorFlow SavedModel (SIGNATURE/OUTPUT where it is not of ' +
        'serving_default), pixels scaled to LOW..HIGH (default: -1,1; a uint8 input gets the bytes)',
    )
    .option('--feature <name>', 'which .npy of a features folder is compared (default: avepool)')
    .addOption(
      new Option(
        '--metrics <names>',
        `${SCORES.map(({ name, note }) => (note ? `${name} (${note})` : name)).join(', ')}, separated by commas; ` +
          'the Fréchet distance is always there',
      )
        .argParser(scoreNames)
        .default(['fid'], 'fid'),
    );
  scoreOptions(command)
    .option('--seed <n>', 'decides the subsets of KID', wholeNumber, SCORE_DEFAULTS.seed)
    .option('--batch-size <n>', 'images in a batch; scores do not depend on it', smallNumber, FID_BATCH_SIZE)
    .option(
      '--stats-out <file>',
      'also save the statistics of REAL (or of the only set) as .npz, to be given as REAL the next time',
    )
    .option('--shard <i/n>', 'with one set and --out: only the i-th of n parts of its images, for --merge', shard)
    .option('--out <file>', 'the .npz of a shard: exact sums, and the rows where --metrics has kid, pr or is')
    .option('--merge <parts...>', 'all shards of FAKE, put together to what the whole set would give')
    .option('--force', 'replace an existing --stats-out or --out file')
    .action(fid);
  inceptionOptions(command);
  engineOptions(command);
  outputOptions(command).addHelpText('after', SCORES_HELP);
  return examples(command, [
    'bigbigan fid train --inception-weights inception.safetensors --stats-out train.npz',
    'bigbigan generate --run runs/a --count 50000 --out - | bigbigan fid train.npz - --inception-weights inception.safetensors',
    'bigbigan fid validation samples --extractor encoder:runs/a --metrics fid,kid,pr --json',
    'bigbigan fid features/test features/fake',
    'bigbigan fid samples --extractor encoder:runs/a --shard 1/4 --out part1.npz     # 2/4, 3/4, 4/4 elsewhere',
    'bigbigan fid real.npz --merge part1.npz part2.npz part3.npz part4.npz',
  ]);
}

function scoreOptions(command: Command): Command {
  for (const { options, defaults } of SCORES) {
    for (const { setting, flags, text } of options) command.option(flags, text, positiveInteger, defaults[setting]);
  }
  return command;
}

const isScore = (name: string): name is ScoreName => (SCORE_NAMES as readonly string[]).includes(name);

function scoreNames(text: string): ScoreName[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !isScore(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`expected some of ${SCORE_NAMES.join(', ')}, got ${wrong}.`);
  return names.filter(isScore);
}

async function fid(
  real: string | undefined,
  fake: string | undefined,
  options: FidOptions,
  command: Command,
): Promise<void> {
  checkEffects(command, options);
  using report = createReport(options);
  const { fid } = await import('../../core/evaluation/fid/fid.js');
  const result = await interruptible(report, (signal) =>
    fid({ real, fake, ...options }, { threads: options.threads, on: report.on, signal }),
  );
  report.result(result, describe(result));
  if ('stats_out' in result && result.stats_out) report.path(result.stats_out);
}

function describe(result: FidResult): string {
  if ('shard' in result) return result.out;
  const lines = scoreLines(result);
  if (!('set' in result)) return lines.join('\n');
  const { set, extractor } = result;
  return [...lines, `${set.n ?? 'unknown'} rows of ${extractor.width} features (${networkText(extractor)})`].join('\n');
}
