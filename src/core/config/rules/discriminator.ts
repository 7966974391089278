/** What settings of D ask of one another and of the model. */
import { usage } from '../../errors.js';
import {
  hasDiscriminator,
  hasEncoder,
  type ModelConfig,
  type ResidualDiscriminatorConfig,
  TERMS,
} from '../../model/config.js';
import { checkAttention } from './attention.js';

export function checkDiscriminator(discriminator: ResidualDiscriminatorConfig, { resolution }: ModelConfig): void {
  const sizes: number[] = [];
  discriminator.multipliers.reduce((side) => {
    sizes.push(side > discriminator.smallest ? Math.ceil(side / 2) : side);
    return sizes.at(-1)!;
  }, resolution);
  const width = (side: number) => discriminator.channels * discriminator.multipliers[sizes.lastIndexOf(side)];
  checkAttention('model.discriminator.attention', discriminator.attention, sizes, width);
}

export function checkScores(model: ModelConfig): void {
  const { scores, kind } = model.discriminator;
  scores.forEach((score) => {
    if (!TERMS.includes(score)) throw usage(`there is no score "${score}"`, `scores: ${TERMS.join(', ')}`);
  });
  const list = scores.join(',');
  if (new Set(scores).size !== scores.length) throw usage(`a score is named twice: ${list}`);
  if (!hasEncoder(model)) {
    if (list !== 'x')
      throw usage(
        `the objective ${list} judges latents, but model.encoder.kind is none`,
        'without E the objective is x alone',
      );
  } else if (kind === 'dense' && scores.length > 1) {
    throw usage(`the objective ${list} has ${scores.length} scores; a dense D has one`, 'use xz, or x');
  }
  if (model.classes > 1 && hasDiscriminator(model) && !scores.includes('x')) {
    throw usage(
      `model.classes is ${model.classes}, but the objective ${list} lacks the score x, which is the one that sees labels`,
      'add x',
    );
  }
}
