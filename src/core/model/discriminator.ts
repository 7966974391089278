/** D: F on images, H on latents, J on both, and a score of each (paper section 2). */
import { add, avgPool2, concat, relu, reshape, sum } from '../backend/ops.js';
import { type Tensor, size } from '../backend/tensor.js';
import { convolution } from '../layers/convolution.js';
import { linear } from '../layers/linear.js';
import { residualMlp } from '../layers/residual-mlp.js';
import { type Pass, type Scope, within } from '../layers/scope.js';
import type { DiscriminatorConfig, ModelConfig, Term } from './config.js';

/** One score a pair, an image, or a latent: each [n]; those that the model has. */
export type Scores = Partial<Record<Term, Tensor>>;

/**
 * @param images [−1, 1], in one or several batches [n,h,w,c]: F runs on each by itself, so that nothing is propagated back
 *   through those that need no gradient
 * @param z latents of all of them in order, [Σn, latent]
 */
export function discriminate(pass: Pass, images: readonly Tensor[], z: Tensor, config: ModelConfig): Scores {
  const scope: Scope = { pass, path: 'discriminator' };
  const { hidden, blocks, latentSpectralNorm, scores, joint } = config.discriminator;
  const options = { spectralNorm: latentSpectralNorm };
  const n = z.shape[0];
  const map = concat(images.map((x) => imageFeatures(within(scope, 'F'), x, config.discriminator)), 0);
  const f = sum(map, [1, 2]);
  const seenByJ = joint === 'pooled' ? f : reshape(map, [n, size(map.shape.slice(1))]);
  const h = residualMlp(within(scope, 'H'), z, hidden, blocks, options);
  const features: Record<Term, () => Tensor> = {
    x: () => f,
    z: () => h,
    xz: () => residualMlp(within(scope, 'J'), concat([seenByJ, h], 1), hidden, blocks, options),
  };
  const score = (term: Term) =>
    reshape(linear(within(scope, `score_${term}`), features[term](), 1, { spectralNorm: true }), [n]);
  return Object.fromEntries(scores.map((term) => [term, score(term)]));
}

/** F before its global sum pool: BigGAN's discriminator trunk and a ReLU, [n, h, w, ch · last multiplier]. */
function imageFeatures(scope: Scope, image: Tensor, { channels: ch, multipliers, smallest }: DiscriminatorConfig): Tensor {
  let x = image;
  multipliers.forEach((multiplier, i) => {
    x = downBlock(within(scope, `block${i}`), x, ch * multiplier, x.shape[1] > smallest, i === 0);
  });
  return relu(x);
}

/** The first block has no activation before its first layer; its skip is pooled before the 1×1 convolution. */
function downBlock(scope: Scope, x: Tensor, filters: number, halves: boolean, first: boolean): Tensor {
  const options = { spectralNorm: true };
  const pool = (y: Tensor) => (halves ? avgPool2(y) : y);
  let y = convolution(within(scope, 'conv0'), first ? x : relu(x), filters, options);
  y = convolution(within(scope, 'conv1'), relu(y), filters, { resample: halves ? 'down' : undefined, ...options });
  if (!halves && x.shape[3] === filters) return add(y, x);
  // Pooling and a 1×1 convolution commute: pooling first takes a quarter of the work in every block.
  const skip = convolution(within(scope, 'conv_skip'), pool(x), filters, { size: 1, ...options });
  return add(y, skip);
}
