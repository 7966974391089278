/** E: image → distribution of latents: trunk, average pool, residual MLP (paper section 3.1). */
import { add, concat, mean, mul, neg, relu, scale, softplus, splitSizes, tanh } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { plainBatchNorm } from '../layers/batch-norm.js';
import { linear } from '../layers/linear.js';
import { residualMlp } from '../layers/residual-mlp.js';
import { type Pass, type Scope, within } from '../layers/scope.js';
import type { ModelConfig, TrunkConfig } from './config.js';
import { denseEncoding } from './dense.js';
import type { Encoding } from './encoding.js';
import { resnetTrunk } from './resnet.js';
import { revnetTrunk } from './revnet.js';

/** @param x images [n,h,w,c] in [−1, 1], of the resolution that E takes */
export function encode(pass: Pass, x: Tensor, config: ModelConfig): Encoding {
  const scope: Scope = { pass, path: 'encoder' };
  const { encoder } = config;
  return encoder.kind === 'dense' ? denseEncoding(scope, x, config, encoder) : trunkEncoding(scope, x, config, encoder);
}

function trunkEncoding(scope: Scope, x: Tensor, { latent, prior }: ModelConfig, encoder: TrunkConfig): Encoding {
  const { hidden, blocks, stochastic } = encoder;
  const trunk = encoder.kind === 'revnet' ? revnetTrunk : resnetTrunk;
  const avepool = mean(trunk(within(scope, 'trunk'), x, encoder), [1, 2]);
  const normalised = plainBatchNorm(within(scope, 'feature_norm'), avepool);
  const bnCrelu = concat([relu(normalised), relu(neg(normalised))], 1);
  const head = residualMlp(within(scope, 'head'), avepool, hidden, blocks, {});
  const output = linear(within(scope, 'output'), head, stochastic ? 2 * latent : latent);
  if (prior === 'uniform') return { avepool, bnCrelu, mean: tanh(output), logits: scale(output, 2) };
  if (!stochastic) return { avepool, bnCrelu, mean: output };
  const [mu, sigma] = splitSizes(output, [latent, latent], 1);
  return { avepool, bnCrelu, mean: mu, std: softplus(sigma) };
}

/** z = μ + ε·σ with ε ~ N(0, I) given; μ itself when E is deterministic. */
export function sampleLatent({ mean: mu, std }: Encoding, noise: Tensor): Tensor {
  return std ? add(mu, mul(noise, std)) : mu;
}
