/**
 * BiGAN's perceptrons on images as vectors (Donahue et al. 2017, permutation-invariant MNIST; layers, initial values
 * and ranges as in jeffdonahue/bigan). No biases; batch norm without scale and offset, on real and generated batches
 * separately.
 */

import { normal, zeros } from '../backend/initialise.js';
import { add, addScalar, concat, leakyRelu, neg, relu, reshape, scale, splitSizes, tanh } from '../backend/ops.js';
import { size, type Tensor } from '../backend/tensor.js';
import { plainBatchNorm } from '../layers/batch-norm.js';
import { type LinearOptions, linear } from '../layers/linear.js';
import { type Scope, within } from '../layers/scope.js';
import type { DenseConfig, DenseDiscriminatorConfig, ModelConfig } from './config.js';
import type { Encoding } from './encoding.js';
import type { Judged, Scores } from './judged.js';

const SLOPE = 0.2;
const initial = normal(0.02);

function layer(scope: Scope, name: string, x: Tensor, units: number, options: LinearOptions = {}): Tensor {
  return linear(within(scope, name), x, units, { bias: false, initialiser: initial, ...options });
}

const norm = (scope: Scope, name: string, x: Tensor) => plainBatchNorm(within(scope, name), x);

/** z [n, latent] → images [n,h,w,c] in [−1, 1]; 2σ(u) − 1 = tanh(u/2). */
export function denseImages(
  scope: Scope,
  z: Tensor,
  { resolution, channels }: ModelConfig,
  { hidden }: DenseConfig,
): Tensor {
  const first = relu(norm(scope, 'batch_norm0', layer(scope, 'linear0', z, hidden)));
  const second = add(layer(scope, 'linear1', first, hidden), layer(scope, 'latent', z, hidden));
  const image = layer(scope, 'to_image', relu(norm(scope, 'batch_norm1', second)), resolution * resolution * channels);
  return reshape(tanh(scale(image, 0.5)), [z.shape[0], resolution, resolution, channels]);
}

/** Images → a z in (−1, 1); the last hidden layer is the feature that is judged. */
export function denseEncoding(
  scope: Scope,
  images: Tensor,
  { latent }: ModelConfig,
  { hidden }: DenseConfig,
): Encoding {
  const first = leakyRelu(layer(scope, 'linear0', vectors(images), hidden), SLOPE);
  const features = leakyRelu(norm(scope, 'batch_norm', layer(scope, 'linear1', first, hidden)), SLOPE);
  const logits = layer(scope, 'output', features, latent);
  const mean = tanh(scale(logits, 0.5));
  const normalised = norm(scope, 'feature_norm', features);
  return { avepool: features, bnCrelu: concat([relu(normalised), relu(neg(normalised))], 1), mean, logits };
}

/** z enters at the second hidden layer only, before its norm; the score starts at 0. */
export function denseScores(
  scope: Scope,
  { images, latents }: Judged,
  { hidden, scores: [term] }: DenseDiscriminatorConfig,
): Scores {
  const counts = images.map(({ shape }) => shape[0]);
  const parts = latents ? splitSizes(latents, counts, 0) : [];
  const scores = images.map((batch, i) => {
    const first = leakyRelu(layer(scope, 'linear0', vectors(batch), hidden), SLOPE);
    const ofImage = layer(scope, 'linear1', first, hidden);
    const second = term === 'xz' ? add(ofImage, layer(scope, 'latent', parts[i], hidden)) : ofImage;
    const features = leakyRelu(norm(scope, 'batch_norm', second), SLOPE);
    return reshape(layer(scope, `score_${term}`, features, 1, { initialiser: zeros }), [counts[i]]);
  });
  return { [term]: concat(scores, 0) };
}

/** Pixels in [0, 1], as BiGAN has them. */
function vectors(images: Tensor): Tensor {
  const flat = reshape(images, [images.shape[0], size(images.shape.slice(1))]);
  return scale(addScalar(flat, 1), 0.5);
}
