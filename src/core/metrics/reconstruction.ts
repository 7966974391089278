/** How much a reconstruction knows of its own image. */
import { integerRandom, permutation } from '../data/random.js';
import { UserError } from '../errors.js';

export interface ReconstructionPair {
  count: number;
  height: number;
  width: number;
  channels: number;
  /** uint8 [count,h,w,c] each. */
  originals: Uint8Array;
  reconstructions: Uint8Array;
}

/**
 * The relative pixel-wise L1 error of the paper's appendix: mean |x − G(E(x))| over mean |x′ − G(E(x))|, where x′ is
 * another image of the set, drawn without replacement. Differences are in units of the full range, 0 to 1.
 */
export function reconstructionError(
  { count, height, width, channels, originals, reconstructions }: ReconstructionPair,
  seed: number,
): { matched: number; mismatched: number; ratio: number } {
  if (count < 2) throw new UserError('a reconstruction ratio needs 2 or more images');
  const pixels = height * width * channels;
  // Each image's partner is the next one in a random order: never itself.
  const order = permutation(count, integerRandom(seed, 0));
  let matched = 0;
  let mismatched = 0;
  order.forEach((image, i) => {
    const other = order[(i + 1) % count];
    for (let p = 0; p < pixels; p++) {
      const value = reconstructions[image * pixels + p];
      matched += Math.abs(originals[image * pixels + p] - value);
      mismatched += Math.abs(originals[other * pixels + p] - value);
    }
  });
  if (mismatched === 0) throw new UserError('all images are the same: there is no ratio to take');
  const unit = 255 * count * pixels;
  return { matched: matched / unit, mismatched: mismatched / unit, ratio: matched / mismatched };
}
