/** Options of `linear-probe` for training on random parts of images. */
import { type Command, Option } from 'commander';
import { CROPS, type Crop } from '../../core/data/loading/crop.js';
import { usage } from '../../core/errors.js';
import type { AugmentationQuestion } from '../../core/evaluation/probe/augmentation-question.js';

export interface AugmentOptions {
  augment?: Crop;
  flip?: boolean;
  data?: string;
  run?: string;
  checkpoint?: string;
  model?: string;
}

/** For the description of the command. */
export const AUGMENTATION =
  'With --augment, as in the paper, each training batch is encoded anew from random parts of its images. All else stays that of ' +
  'the training features: labels, standardisation, and held-out rows, which are never augmented. Images and model are ' +
  "taken from where features.json says they were and must be those of the features. It costs the encoder's time: steps times batch size " +
  'images, twice with a choice of classifiers.';

/** `--augment`, `--flip`, `--no-flip`, `--data`, `--run`, `--checkpoint`, `--model`. */
export function augmentOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--augment <crop>',
        "train on freshly encoded crops (adam, sgd), named as train.crop: random-resized is the published ResNet training's, " +
          'distorted that of compare_gan, center takes no chance but that of --flip (default: none)',
      ).choices(CROPS),
    )
    .option(
      '--flip',
      'with --augment: mirror each image with probability 1/2 (default: as train.flip of the checkpoint)',
    )
    .option('--no-flip', 'with --augment: mirror none')
    .option('--data <dir>', 'with --augment: the dataset that was encoded (default: where it was)')
    .option(
      '--run <dir>',
      'with --augment: run whose newest checkpoint encoded it (default: the checkpoint where it was)',
    )
    .addOption(new Option('--checkpoint <file>', 'with --augment: the checkpoint that encoded it').conflicts('run'))
    .addOption(
      new Option('--model <dir>', 'with --augment: the SavedModel that encoded it').conflicts(['run', 'checkpoint']),
    );
}

/** @throws UserError for what does not go together */
export function checkAugmentOptions(
  options: AugmentOptions & { solver: string; apply?: string; train?: string[] },
): void {
  const { augment, flip, data, run, checkpoint, model, solver, apply, train } = options;
  const places = { '--data': data, '--run': run, '--checkpoint': checkpoint, '--model': model };
  const given = (choices: Record<string, unknown>) => Object.keys(choices).find((name) => choices[name] !== undefined);
  if (augment === undefined) {
    const needing = given({ [flip ? '--flip' : '--no-flip']: flip, ...places });
    if (needing)
      throw usage(`${needing} needs --augment CROP: how the images become random`, `crops: ${CROPS.join(', ')}`);
    return;
  }
  if (apply) throw usage('--augment does not go with --apply', 'it trains nothing');
  if (solver === 'lbfgs')
    throw usage(
      '--augment does not go with --solver lbfgs',
      'it needs the same rows at every iteration: use adam or sgd',
    );
  const place = given(places);
  if (place && train && train.length > 1)
    throw usage(`${place} is for one --train folder`, 'each folder knows where its images and model were');
}

export function augmentation({
  augment: crop,
  flip,
  data,
  run,
  checkpoint,
  model,
}: AugmentOptions): AugmentationQuestion | undefined {
  return crop && { crop, flip, data, run, checkpoint, model };
}
