/** D: F on images, H on latents, J on both, and a score of each (paper section 2). */
import { add, avgPool2, concat, mul, relu, reshape, sum } from '../backend/ops.js';
import { size, type Tensor } from '../backend/tensor.js';
import { convolution } from '../layers/convolution.js';
import { embedding } from '../layers/embedding.js';
import { linear } from '../layers/linear.js';
import { nonLocalBlock } from '../layers/non-local.js';
import { residualMlp } from '../layers/residual-mlp.js';
import { type Pass, type Scope, within } from '../layers/scope.js';
import type { ModelConfig, ResidualDiscriminatorConfig, Term } from './config.js';
import { denseScores } from './dense.js';
import type { Judged, Scores } from './judged.js';

export function discriminate(pass: Pass, judged: Judged, config: ModelConfig): Scores {
  const scope: Scope = { pass, path: 'discriminator' };
  const { discriminator } = config;
  return discriminator.kind === 'dense'
    ? denseScores(scope, judged, discriminator)
    : residualScores(scope, judged, config, discriminator);
}

function residualScores(
  scope: Scope,
  judged: Judged,
  config: ModelConfig,
  discriminator: ResidualDiscriminatorConfig,
): Scores {
  const { hidden, blocks, latentSpectralNorm, scores, joint } = discriminator;
  const options = { spectralNorm: latentSpectralNorm };
  const map = concat(
    judged.images.map((x) => imageFeatures(within(scope, 'F'), x, discriminator)),
    0,
  );
  const [n] = map.shape;
  const f = sum(map, [1, 2]);
  const score = (term: Term, features: Tensor) =>
    reshape(linear(within(scope, `score_${term}`), features, 1, { spectralNorm: true }), [n]);

  const result: Scores = {};
  const latentFeatures = () => residualMlp(within(scope, 'H'), judged.latents!, hidden, blocks, options);
  const h = scores.some((term) => term !== 'x') ? latentFeatures() : undefined;
  for (const term of scores) {
    if (term === 'x') result.x = labelled(scope, score('x', f), f, judged.labels, config.classes);
    if (term === 'z') result.z = score('z', h!);
    if (term === 'xz') {
      const seenByJ = joint === 'pooled' ? f : reshape(map, [n, size(map.shape.slice(1))]);
      result.xz = score('xz', residualMlp(within(scope, 'J'), concat([seenByJ, h!], 1), hidden, blocks, options));
    }
  }
  return result;
}

/** Projection (Miyato & Koyama 2018): a label's embedding times the image's features is added to the score. */
function labelled(scope: Scope, score: Tensor, f: Tensor, labels: Tensor | undefined, classes: number): Tensor {
  if (classes === 1) return score;
  const label = embedding(within(scope, 'projection'), labels!, classes, f.shape[1], { spectralNorm: true });
  return add(score, sum(mul(label, f), [1]));
}

/** F before its global sum pool: BigGAN's discriminator trunk and a ReLU, [n, h, w, ch · last multiplier]. */
function imageFeatures(scope: Scope, image: Tensor, config: ResidualDiscriminatorConfig): Tensor {
  const { channels: ch, multipliers, smallest, attention } = config;
  let x = image;
  multipliers.forEach((multiplier, i) => {
    x = downBlock(within(scope, `block${i}`), x, ch * multiplier, x.shape[1] > smallest, i === 0);
    const last = multipliers[i + 1] === undefined;
    if (x.shape[1] === attention && (last || attention > smallest)) x = nonLocalBlock(within(scope, 'attention'), x);
  });
  return relu(x);
}

/** The first block has no activation before its first layer; its skip is pooled before the 1×1 convolution. */
export function downBlock(scope: Scope, x: Tensor, filters: number, halves: boolean, first: boolean): Tensor {
  const options = { spectralNorm: true };
  const pool = (y: Tensor) => (halves ? avgPool2(y) : y);
  let y = convolution(within(scope, 'conv0'), first ? x : relu(x), filters, options);
  y = convolution(within(scope, 'conv1'), relu(y), filters, { resample: halves ? 'down' : undefined, ...options });
  if (!halves && x.shape[3] === filters) return add(y, x);
  // Pooling and a 1×1 convolution commute: pooling first takes a quarter of the work in every block.
  const skip = convolution(within(scope, 'conv_skip'), pool(x), filters, { size: 1, ...options });
  return add(y, skip);
}
