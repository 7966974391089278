/** G(E(x)) against x, without D: the autoencoders of Donahue et al. 2017, Table 1. */
import { add, mean, mul, neg, relu, scale, sub, sum } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import { encode } from '../../model/encoder.js';
import { generate } from '../../model/generator.js';
import { encoderHealth, realBatch, type StepContext, shrinkTo, streams, trainingPass } from './forward.js';
import { gradientsOf } from './optimise.js';
import type { Phase, PhaseResult } from './phase.js';

export const autoencoderPhase: Phase = {
  name: 'all',
  index: 0,
  updates: { generator: 'generator', encoder: 'encoder' },
  run: autoencode,
};

function autoencode(context: StepContext): PhaseResult {
  const { train, model } = context.config;
  const { x, label } = realBatch(context, 0, streams(context, 0));
  const [encoded, generated] = [trainingPass(context, true), trainingPass(context, true)];
  const encoding = encode(encoded, x, model);
  const reconstructed = generate(generated, encoding.mean, model, label);
  const loss = reconstructionLoss(
    shrinkTo(model.resolution, x),
    reconstructed,
    train.method === 'autoencoder-l1' ? 'l1' : 'l2',
  );
  return {
    gradients: gradientsOf(loss, [generated, encoded]),
    report: { loss_reconstruction: loss, ...encoderHealth(encoding) },
  };
}

/**
 * Σ|x − y| or Σ(x − y)² over the pixels of an image, on a scale of 0 to 1, mean over the batch. The paper does not say
 * sum or mean, which decides only how much weight decay counts: the sum is our choice.
 */
export function reconstructionLoss(x: Tensor, y: Tensor, norm: 'l1' | 'l2'): Tensor {
  const difference = scale(sub(x, y), 0.5);
  const error = norm === 'l1' ? add(relu(difference), relu(neg(difference))) : mul(difference, difference);
  return mean(sum(error, [1, 2, 3]));
}
