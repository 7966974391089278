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

/** A mean error against the own image, against another one, and the first over the second. */
export interface RelativeError {
  matched: number;
  mismatched: number;
  ratio: number;
}

/**
 * The error of the reconstructions G(E(x)), relative to that against another image x′ of the set, drawn without
 * replacement.
 * - `l1`, as in the paper's appendix: mean |x − G(E(x))| over mean |x′ − G(E(x))|, in units of the full range, 0 to 1.
 * - `l2`, as BiGAN reports it (EGr over EGr_b): means over the images of the Euclidean norms |x − G(E(x))| and
 *   |x′ − G(E(x))| of whole images, whose pixels lie in 0 to 1.
 */
export function reconstructionError(
  { count, height, width, channels, originals, reconstructions }: ReconstructionPair,
  seed: number,
): Record<'l1' | 'l2', RelativeError> {
  if (count < 2) throw new UserError('a reconstruction ratio needs 2 or more images');
  const pixels = height * width * channels;
  // Each image's partner is the next one in a random order: never itself.
  const order = permutation(count, integerRandom(seed, 0));
  const sums = { l1: { matched: 0, mismatched: 0 }, l2: { matched: 0, mismatched: 0 } };
  const compare = (original: number, reconstruction: number, kind: 'matched' | 'mismatched') => {
    let [absolute, squares] = [0, 0];
    for (let p = 0; p < pixels; p++) {
      const difference = originals[original * pixels + p] - reconstructions[reconstruction * pixels + p];
      absolute += Math.abs(difference);
      squares += difference * difference;
    }
    sums.l1[kind] += absolute;
    sums.l2[kind] += Math.sqrt(squares);
  };
  order.forEach((image, i) => {
    compare(image, image, 'matched');
    compare(order[(i + 1) % count], image, 'mismatched');
  });
  if (sums.l1.mismatched === 0) throw new UserError('all images are the same: there is no ratio to take');
  const relative = ({ matched, mismatched }: Omit<RelativeError, 'ratio'>, unit: number): RelativeError => {
    return { matched: matched / unit, mismatched: mismatched / unit, ratio: matched / mismatched };
  };
  return { l1: relative(sums.l1, 255 * count * pixels), l2: relative(sums.l2, 255 * count) };
}
