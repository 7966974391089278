/** Options of `train` for evaluations on the way. */

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Engine } from '../../core/backend/engine.js';
import type { Config } from '../../core/config/config.js';
import type { Dataset } from '../../core/data/dataset/dataset.js';
import { usage } from '../../core/errors.js';
import { imageResolution } from '../../core/model/config.js';
import type { EvaluationLine } from '../../core/train/evaluation/evaluate.js';
import type { EvaluationSettings } from '../../core/train/evaluation/evaluations.js';
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

const IMAGES = 4000;

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
      `images that are evaluated, always the same random ones; one half fits the probe and votes, the other is tested (default: ${IMAGES})`,
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

export interface OpenEvaluation {
  /** What cannot be evaluated, and why. */
  leftOut?: string;
  /** Opens the network, if one is asked for. */
  start(engine: Engine): Promise<EvaluationSettings>;
  close(): Promise<void>;
}

/** Undefined without --eval-every. What does not fit is an error here, before anything is written. */
export async function openEvaluation(
  options: EvaluationOptions,
  { run, config, dataset }: { run: string; config: Config; dataset: Dataset },
) {
  const { evalEvery: every, evalData, evalImages: images = IMAGES, select, patience } = options;
  if (every === 0) return undefined;
  const { openDataset } = await import('../../core/data/dataset/dataset.js');
  const { LEAST_IMAGES, planEvaluation } = await import('../../core/train/evaluation/evaluation-plan.js');
  if (images < LEAST_IMAGES) throw usage(`expected ${LEAST_IMAGES} or more for --eval-images, got ${images}`);
  const { model } = config;
  const network = await extractorChoice(options, run);
  const view = { resolution: imageResolution(model), channels: model.channels as 1 | 3 };
  const evaluated = evalData === undefined ? dataset : await openDataset(evalData, view);
  const { names, leftOut } = planEvaluation(evaluated, config, { extractor: network !== undefined, select });
  let close = () => {};
  const open: OpenEvaluation = {
    leftOut,
    async start(engine) {
      const settings = { every, dataset: evaluated, images, names, select, patience };
      if (!network) return settings;
      const { openExtractor } = await import('../../core/evaluation/fid/extractors/extractors.js');
      const { SHEET } = await import('../../core/train/progress-sheets.js');
      const { checkExtractor } = await import('../../core/train/evaluation/evaluate-samples.js');
      const { modelShapes } = await import('../../core/model/inference.js');
      const extractor = await openExtractor(engine, network, SHEET.images);
      close = () => extractor.close();
      checkExtractor(extractor, modelShapes(model));
      return { ...settings, extractor };
    },
    async close() {
      close();
      if (evaluated !== dataset) await evaluated.close();
    },
  };
  return open;
}

async function extractorChoice({ evalExtractor: text, inceptionWeights: weights }: EvaluationOptions, run: string) {
  if (text === undefined) return undefined;
  const { parseExtractor } = await import('../../core/evaluation/fid/extractors/extractors.js');
  const choice = await parseExtractor(text, { weights });
  if (choice.kind === 'encoder' && resolve(choice.path) === resolve(run)) {
    throw usage(
      `--eval-extractor ${text} is the run itself, whose encoder changes`,
      'name another run, or a checkpoint file that stays',
    );
  }
  return choice;
}

/** One line of words; `best` is the metric by which there was none better. */
export function describeEvaluation(
  { step, knn, linear_probe, reconstruct, fid }: EvaluationLine,
  best?: Selection,
): string {
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const parts = [
    knn && `1-NN ${percent(knn.top1['1'])}`,
    linear_probe && `linear probe ${percent(linear_probe.top1)}`,
    reconstruct && `L1 ratio ${reconstruct.l1_ratio.toFixed(3)}`,
    fid && `Fréchet distance ${fid.frechet_distance.toPrecision(4)}`,
    best && `the best ${best} so far`,
  ];
  return `step ${step} evaluated: ${parts.filter((part) => part !== undefined).join(', ')}`;
}
