/**
 * A GAN of G and D on images alone, and an E that finds the latent of a generated image (the baselines of Donahue et
 * al. 2017, Table 1; weights as in jeffdonahue/bigan). E never sees a real image.
 */
import { add, addScalar, mean, mul, scale, softplus, stopGradient, sub } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import { encode } from '../../model/encoder.js';
import type { Encoding } from '../../model/encoding.js';
import {
  encoderHealth,
  generatedBatch,
  realBatch,
  type StepContext,
  scoreMeans,
  scorePairs,
  streams,
  trainingPass,
} from './forward.js';
import { OBJECTIVES } from './losses.js';
import { gradientsOf, together } from './optimise.js';
import type { Phase, PhaseResult } from './phase.js';

/** Weight of E's loss in G's when they are trained jointly. */
const JOINT_WEIGHT = 0.25;

export const latentRegressorPhase: Phase = {
  name: 'all',
  index: 0,
  updates: { discriminator: 'discriminator0', generator: 'generator', encoder: 'encoder' },
  run: regress,
};

function regress(context: StepContext): PhaseResult {
  const { train, model } = context.config;
  const objective = OBJECTIVES[train.loss];
  const joint = train.method === 'joint-latent-regressor';
  const random = streams(context, 0);
  const real = realBatch(context, 0, random);
  const { pair, pass: generated } = generatedBatch(context, true, random);
  const judging = trainingPass(context, true);
  const scores = scorePairs(judging, { encoder: real, generator: { ...pair, z: undefined } }, model);
  const encoded = trainingPass(context, true);
  const encoding = encode(encoded, joint ? pair.x : stopGradient(pair.x), model);

  const lossD = objective.discriminator(scores.encoder, scores.generator);
  const lossG = objective.generator(scores.generator);
  const lossE = latentError(encoding, pair.z);
  const ofD = gradientsOf(lossD, [judging]);
  const ofG = gradientsOf(
    joint ? add(lossG, scale(lossE, JOINT_WEIGHT)) : lossG,
    joint ? [generated, encoded] : [generated],
  );
  const gradients = joint ? together(ofD, ofG) : together(ofD, ofG, gradientsOf(lossE, [encoded]));
  const losses = { loss_d: lossD, loss_g: lossG, loss_e: lossE };
  return { gradients, report: { ...losses, ...scoreMeans(scores, model), ...encoderHealth(encoding) } };
}

/**
 * How far E is from the latent, mean over batch and dimensions: for the uniform prior, the cross-entropy between (z +
 * 1)/2 and σ of E's output before its squashing; for the normal prior half the squared difference.
 */
export function latentError({ mean: mu, logits }: Encoding, z: Tensor): Tensor {
  if (logits) return mean(sub(softplus(logits), mul(logits, scale(addScalar(z, 1), 0.5))));
  const difference = sub(mu, z);
  return scale(mean(mul(difference, difference)), 0.5);
}
