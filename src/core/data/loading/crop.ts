/** Which part of an image a training batch shows. */
import type { Box } from '../codec.js';
import { type IntegerRandom, integerRandom } from '../random.js';

export const CROPS = ['center', 'random-resized', 'distorted'] as const;

/**
 * How images become squares of the resolution:
 * - center: the central square, as prep-data's center-crop, without chance;
 * - random-resized: of the published ResNet training (`resnet_preprocessing.py` in tensorflow/tpu): 0.08 to 1 of the
 *   area, aspect (width over height) 3/4 to 4/3, 10 attempts, bicubic. Where the attempts fail or the part is the whole
 *   image: the centre, min(height, width) * resolution / (resolution + 32) wide and high;
 * - distorted: of compare_gan (`datasets.py`), the setting of the paper's Table 3: 0.5 to 1 of the area, aspect 1, 100
 *   attempts, bilinear. Images more than twice as long as wide have no such part: the whole image, squashed. Images are
 *   never mirrored here.
 *
 * Deviations: sharp's bicubic (Catmull-Rom, where TensorFlow 1 had a = -0.75) and bilinear have antialiasing when they
 * shrink, TensorFlow's had none. Where they enlarge, neither aligns the centres of pixels: sharp's result lies half a
 * pixel to the right and below, TensorFlow's to the left and above. Parts are of the upright image: the EXIF
 * orientation is applied first, which TensorFlow ignored. Results are rounded to whole levels, 0 to 255.
 */
export type Crop = (typeof CROPS)[number];

interface Rule {
  /** Least and largest share of the image's area. */
  area: readonly [number, number];
  /** Least and largest width over height. */
  aspect: readonly [number, number];
  attempts: number;
  kernel: 'cubic' | 'linear';
  /** Instead of a part that could not be found; undefined if the part may be the whole image. */
  center?: (height: number, width: number, resolution: number) => Box;
}

export const RULES: Record<Exclude<Crop, 'center'>, Rule> = {
  'random-resized': { area: [0.08, 1], aspect: [3 / 4, 4 / 3], attempts: 10, kernel: 'cubic', center: paddedCenter },
  distorted: { area: [0.5, 1], aspect: [1, 1], attempts: 100, kernel: 'linear' },
};

/** Both sources ask that the part covers this share of the object, which is the image: it cuts 0.08 off at 0.1. */
const LEAST_COVERED = 0.1;

/** Separates these random streams from those of the epochs' orders. */
const CROP_STREAM = 1;

/** The chance of the image at a place of a step's batch: of these three numbers alone. */
export function cropRandom(seed: number, step: number, place: number): IntegerRandom {
  return integerRandom(seed, CROP_STREAM, step, place);
}

/** The part of an image of this size that a crop takes. */
export function cropBox(
  crop: keyof typeof RULES,
  height: number,
  width: number,
  resolution: number,
  random: IntegerRandom,
): Box {
  const rule = RULES[crop];
  const box = attempt(rule, height, width, random) ?? { left: 0, top: 0, width, height };
  const whole = box.width === width && box.height === height;
  return whole && rule.center ? rule.center(height, width, resolution) : box;
}

function attempt(
  { area, aspect, attempts }: Rule,
  height: number,
  width: number,
  random: IntegerRandom,
): Box | undefined {
  for (let i = 0; i < attempts; i++) {
    const ratio = aspect[0] + (random.next() / 2 ** 32) * (aspect[1] - aspect[0]);
    const size = partSize(ratio, area, height, width, random);
    if (!size || size.width * size.height < LEAST_COVERED * height * width) continue;
    // TensorFlow never takes the last position (of 0 to n it draws below n), so that its parts never reach the right
    // and lower edges; here all positions are as likely.
    return { ...size, left: random.below(width - size.width + 1), top: random.below(height - size.height + 1) };
  }
  return undefined;
}

/** A size of this aspect; as in TensorFlow's `sample_distorted_bounding_box`, the height is uniform, not the area. */
function partSize(ratio: number, area: Rule['area'], height: number, width: number, random: IntegerRandom) {
  const [least, largest] = area.map((share) => share * height * width);
  const tallest = Math.min(height, Math.round(Math.sqrt(largest / ratio)), Math.ceil((width + 0.5) / ratio) - 1);
  const shortest = Math.min(tallest, Math.round(Math.sqrt(least / ratio)));
  const drawn = shortest + random.below(tallest - shortest + 1);
  // Rounding may leave the allowed areas by a row.
  for (const h of [drawn, drawn + 1, drawn - 1]) {
    const w = Math.round(h * ratio);
    if (h >= 1 && w >= 1 && h <= height && w <= width && h * w >= least && h * w <= largest)
      return { height: h, width: w };
  }
  return undefined;
}

function paddedCenter(height: number, width: number, resolution: number): Box {
  const side = Math.max(1, Math.floor((Math.min(height, width) * resolution) / (resolution + 32)));
  const middle = (extent: number) => Math.floor((extent - side + 1) / 2);
  return { left: middle(width), top: middle(height), width: side, height: side };
}
