/** G: latent → image, after BigGAN (Brock et al. 2019; paper section 3.1). */
import { add, concat, relu, reshape, splitSizes, tanh, upsample2 } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { batchNorm, conditionalBatchNorm } from '../layers/batch-norm.js';
import { convolution } from '../layers/convolution.js';
import { embedding } from '../layers/embedding.js';
import { linear } from '../layers/linear.js';
import { nonLocalBlock } from '../layers/non-local.js';
import { type Pass, type Scope, within } from '../layers/scope.js';
import type { BigGanConfig, ModelConfig } from './config.js';
import { denseImages } from './dense.js';
import { singleLabel } from './labels.js';

/**
 * @param z [n, latent]
 * @param labels int32 [n]; absent where the model has a single label
 * @returns images [n, resolution, resolution, channels] in [−1, 1]
 */
export function generate(pass: Pass, z: Tensor, config: ModelConfig, labels?: Tensor): Tensor {
  const scope: Scope = { pass, path: 'generator' };
  const { generator } = config;
  return generator.kind === 'dense'
    ? denseImages(scope, z, config, generator)
    : bigGan(scope, z, labels ?? singleLabel(z), config, generator);
}

/**
 * Skip-z: the latent is cut into equal chunks, one for the first layer and one for each block, where it conditions the
 * norms together with the label's embedding, which all of them share.
 */
function bigGan(scope: Scope, z: Tensor, labels: Tensor, config: ModelConfig, generator: BigGanConfig): Tensor {
  const { channels: ch, multipliers, attention } = generator;
  const [n, latent] = z.shape;
  const chunk = latent / multipliers.length;
  const [first, ...rest] = splitSizes(
    z,
    multipliers.map(() => chunk),
    1,
  );
  const start = ch * multipliers[0];
  // BigGAN leaves the shared embedding without spectral norm: with it, G may be crippled.
  const label = generator.embedding
    ? [embedding(within(scope, 'embedding'), labels, config.classes, generator.embedding)]
    : [];

  let x = linear(within(scope, 'linear'), first, 4 * 4 * start, { spectralNorm: true });
  x = reshape(x, [n, 4, 4, start]);
  multipliers.slice(1).forEach((multiplier, i) => {
    x = upBlock(within(scope, `block${i}`), x, concat([rest[i], ...label], 1), ch * multiplier);
    if (x.shape[1] === attention) x = nonLocalBlock(within(scope, 'attention'), x);
  });
  x = relu(batchNorm(within(scope, 'batch_norm'), x));
  return tanh(convolution(within(scope, 'to_image'), x, config.channels, { spectralNorm: true }));
}

export function upBlock(scope: Scope, x: Tensor, condition: Tensor, filters: number): Tensor {
  const options = { spectralNorm: true };
  let y = relu(conditionalBatchNorm(within(scope, 'batch_norm0'), x, condition));
  y = convolution(within(scope, 'conv0'), y, filters, { resample: 'up', ...options });
  y = relu(conditionalBatchNorm(within(scope, 'batch_norm1'), y, condition));
  y = convolution(within(scope, 'conv1'), y, filters, options);
  // A 1×1 convolution and nearest-neighbour enlargement commute: this order takes a quarter of the work.
  const skip = convolution(within(scope, 'conv_skip'), x, filters, { size: 1, ...options });
  return add(y, upsample2(skip));
}
