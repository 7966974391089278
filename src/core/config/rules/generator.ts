/** What settings of G ask of one another and of the images. */
import { usage } from '../../errors.js';
import type { BigGanConfig, ModelConfig } from '../../model/config.js';
import { checkAttention } from './attention.js';

export function checkGenerator(generator: BigGanConfig, { resolution, latent, classes }: ModelConfig): void {
  const levels = generator.multipliers.length;
  const size = 4 * 2 ** (levels - 1);
  if (size !== resolution) {
    throw usage(
      `model.generator.multipliers has ${levels} levels, which make ${size} pixels, but model.resolution is ${resolution}`,
      goingWith(resolution),
    );
  }
  if (latent % levels !== 0) {
    throw usage(
      `model.latent is ${latent}, which does not split into ${levels} equal chunks (one for each level of G)`,
      `use a multiple of ${levels}`,
    );
  }
  if (classes > 1 && generator.embedding === 0) {
    throw usage(
      `model.classes is ${classes}, but model.generator.embedding is 0: G would not see the label`,
      'BigGAN has 128',
    );
  }
  const sizes = generator.multipliers.slice(1).map((_, i) => 8 * 2 ** i);
  checkAttention(
    'model.generator.attention',
    generator.attention,
    sizes,
    (side) => generator.channels * generator.multipliers[Math.log2(side / 4)],
  );
}

/** All that a resolution asks of other settings, so that it is not found out one by one. */
function goingWith(resolution: number): string {
  const levels = Math.log2(resolution / 4) + 1;
  if (!Number.isInteger(levels) || levels < 1) return 'resolutions are 4 times a power of 2';
  return (
    `${resolution} pixels need ${levels} multipliers (one for 4×4 and one for each doubling), a model.latent that ${levels} divides, ` +
    `and a model.encoder.resolution of ${resolution}, ${2 * resolution} or ${4 * resolution}`
  );
}
