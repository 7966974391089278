/** E: image → distribution of latents: ResNet-v2 trunk, average pool, residual MLP (paper section 3.1). */
import { add, concat, mean, mul, neg, relu, softplus, splitSizes } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { batchNorm, plainBatchNorm } from '../layers/batch-norm.js';
import { convolution } from '../layers/convolution.js';
import { linear } from '../layers/linear.js';
import { residualMlp } from '../layers/residual-mlp.js';
import { type Pass, type Scope, within } from '../layers/scope.js';
import type { EncoderConfig, ModelConfig } from './config.js';

export interface Encoding {
  /** Global average of the trunk's last map: the feature that is judged, [n, features]. */
  avepool: Tensor;
  /** [ReLU(h), ReLU(−h)] of the parameter-free batch norm h of avepool (section 3.2), [n, 2 · features]. */
  bnCrelu: Tensor;
  /** μ, [n, latent]. */
  mean: Tensor;
  /** σ, [n, latent]; absent when E is deterministic. */
  std?: Tensor;
}

/** @param x images [n,h,w,c] in [−1, 1] */
export function encode(pass: Pass, x: Tensor, config: ModelConfig): Encoding {
  const scope: Scope = { pass, path: 'encoder' };
  const { hidden, blocks, stochastic } = config.encoder;
  const avepool = trunk(within(scope, 'trunk'), x, config.encoder);
  const normalised = plainBatchNorm(within(scope, 'feature_norm'), avepool);
  const head = residualMlp(within(scope, 'head'), avepool, hidden, blocks, {});
  const output = linear(within(scope, 'output'), head, stochastic ? 2 * config.latent : config.latent);
  const bnCrelu = concat([relu(normalised), relu(neg(normalised))], 1);
  if (!stochastic) return { avepool, bnCrelu, mean: output };
  const [mu, sigma] = splitSizes(output, [config.latent, config.latent], 1);
  return { avepool, bnCrelu, mean: mu, std: softplus(sigma) };
}

/** z = μ + ε·σ with ε ~ N(0, I) given; μ itself when E is deterministic. */
export function sampleLatent({ mean: mu, std }: Encoding, noise: Tensor): Tensor {
  return std ? add(mu, mul(noise, std)) : mu;
}

function trunk(scope: Scope, image: Tensor, config: EncoderConfig): Tensor {
  let x = convolution(within(scope, 'stem'), image, config.channels * config.multipliers[0], {
    ...config.stem,
    bias: false,
  });
  config.multipliers.forEach((multiplier, stage) => {
    for (let unit = 0; unit < config.units[stage]; unit++) {
      const stride = stage > 0 && unit === 0 ? 2 : 1;
      const filters = config.channels * multiplier;
      x = bottleneck(within(scope, `stage${stage}/unit${unit}`), x, filters, filters / config.bottleneck, stride);
    }
  });
  return mean(relu(batchNorm(within(scope, 'batch_norm'), x)), [1, 2]);
}

/** Pre-activation bottleneck (He et al. 2016); the projection shortcut is taken after the activation. */
function bottleneck(scope: Scope, x: Tensor, filters: number, inner: number, stride: number): Tensor {
  const active = relu(batchNorm(within(scope, 'batch_norm0'), x));
  const shortcut =
    stride === 1 && x.shape[3] === filters
      ? x
      : convolution(within(scope, 'conv_skip'), active, filters, { size: 1, stride, bias: false });
  let y = convolution(within(scope, 'conv0'), active, inner, { size: 1, bias: false });
  y = relu(batchNorm(within(scope, 'batch_norm1'), y));
  y = convolution(within(scope, 'conv1'), y, inner, { stride, bias: false });
  y = relu(batchNorm(within(scope, 'batch_norm2'), y));
  y = convolution(within(scope, 'conv2'), y, filters, { size: 1, bias: false });
  return add(shortcut, y);
}
