/**
 * Inception Score (Salimans et al. 2016): how sure a classifier is of each image, and how evenly it sees its classes.
 */
import { expected } from '../errors.js';

export interface InceptionScore {
  /** Mean over the splits of exp(E KL(p(y|x) ‖ p(y))). */
  mean: number;
  /** Standard deviation over the splits, divided by their number. */
  std: number;
}

export interface InceptionScorer {
  /** Adds `count` images by their logits [count, classes], in the order of the set. */
  add(logits: Float32Array, count: number): void;
  /** The score of all images; throws unless as many came as were announced. */
  result(): InceptionScore;
}

/**
 * The `total` images are cut in their order into `splits` parts of equal size, as the authors' code does; so the score
 * depends on the order: of images sorted by class it is low. Sums are in double precision; nothing is kept of an image.
 */
export function createInceptionScore(total: number, splits: number): InceptionScorer {
  if (total < splits)
    throw expected(
      `${splits} images or more, one for each split`,
      'the Inception Score',
      `${total}`,
      'take fewer splits',
    );
  const ends = Array.from({ length: splits }, (_, i) => Math.floor(((i + 1) * total) / splits));
  const scores: number[] = [];
  let sums = new Float64Array(0);
  let negentropy = 0;
  let inSplit = 0;
  let seen = 0;

  const finishSplit = () => {
    let marginal = 0;
    for (const sum of sums) if (sum > 0) marginal += (sum / inSplit) * Math.log(sum / inSplit);
    scores.push(Math.exp(negentropy / inSplit - marginal));
    sums.fill(0);
    negentropy = 0;
    inSplit = 0;
  };

  return {
    add(logits, count) {
      const classes = logits.length / count;
      if (sums.length === 0) sums = new Float64Array(classes);
      for (let at = 0; at < logits.length; at += classes) {
        negentropy += addProbabilities(logits.subarray(at, at + classes), sums);
        inSplit++;
        if (++seen === ends[scores.length]) finishSplit();
      }
    },
    result() {
      if (seen !== total) throw new RangeError(`${total} images were announced, ${seen} came`);
      const mean = scores.reduce((sum, score) => sum + score, 0) / splits;
      const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / splits;
      return { mean, std: Math.sqrt(variance) };
    },
  };
}

/** Adds p = softmax(logits) to `sums` and gives Σ p log p. */
function addProbabilities(logits: Float32Array, sums: Float64Array): number {
  let largest = -Infinity;
  for (const value of logits) largest = Math.max(largest, value);
  let total = 0;
  for (const value of logits) total += Math.exp(value - largest);
  const shift = largest + Math.log(total);
  let result = 0;
  for (let j = 0; j < logits.length; j++) {
    const logP = logits[j] - shift;
    const p = Math.exp(logP);
    sums[j] += p;
    result += p * logP;
  }
  return result;
}
