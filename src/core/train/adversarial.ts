/** G, E and D against each other: BigBiGAN and BiGAN, and a plain GAN where there is no E. */
import type { Tensor } from '../backend/tensor.js';
import { hasEncoder } from '../model/config.js';
import type { Scores } from '../model/discriminator.js';
import { type Forward, type StepContext, adamInputs, detached, encoderHealth, forwardPairs, scoreMeans, scorePairs, trainingPass } from './forward.js';
import { OBJECTIVES } from './losses.js';
import { applyGradients, gradientsOf } from './optimise.js';
import type { StepResult } from './step.js';

/** Updates of D, each on its own batch, then one joint update of G and E against the new D. */
export function alternatingStep(context: StepContext): StepResult {
  const { variables, config } = context;
  const { train, model } = config;
  const objective = OBJECTIVES[train.loss];
  let last: Forward | undefined;
  let lossD: Tensor | undefined;
  let reported: { encoder: Scores; generator: Scores } | undefined;
  for (let i = 0; i < train.discriminatorSteps; i++) {
    last = forwardPairs(context, i, train.reuseForward && i === train.discriminatorSteps - 1);
    const pass = trainingPass(context, true);
    reported = scorePairs(pass, detached(last), model);
    lossD = objective.discriminator(reported.encoder, reported.generator);
    applyGradients(variables, gradientsOf(lossD, [pass]), train, { discriminator: adamInputs(context, `discriminator${i}`) });
  }

  if (!train.reuseForward) last = forwardPairs(context, train.discriminatorSteps, true);
  const judged = scorePairs(trainingPass(context, false), last!, model);
  const lossEG = objective.encoderGenerator(judged.encoder, judged.generator);
  applyGradients(variables, gradientsOf(lossEG, last!.passes), train, encoderGeneratorInputs(context));
  return result(context, last!, lossD!, lossEG, reported!);
}

/** Gradients of both losses at the same weights and from one pass of each network; only then do all three move (BiGAN). */
export function simultaneousStep(context: StepContext): StepResult {
  const { variables, config } = context;
  const { train, model } = config;
  const objective = OBJECTIVES[train.loss];
  const forward = forwardPairs(context, 0, true);
  const pass = trainingPass(context, true);
  const scores = scorePairs(pass, forward, model);
  const lossD = objective.discriminator(scores.encoder, scores.generator);
  const lossEG = objective.encoderGenerator(scores.encoder, scores.generator);
  const [ofD, ofEG] = [gradientsOf(lossD, [pass]), gradientsOf(lossEG, forward.passes)];
  applyGradients(variables, ofD, train, { discriminator: adamInputs(context, 'discriminator0') });
  applyGradients(variables, ofEG, train, encoderGeneratorInputs(context));
  return result(context, forward, lossD, lossEG, scores);
}

function encoderGeneratorInputs(context: StepContext) {
  const generator = adamInputs(context, 'generator');
  return hasEncoder(context.config.model) ? { generator, encoder: adamInputs(context, 'encoder') } : { generator };
}

function result(
  { config: { model } }: StepContext,
  { passes, encoding }: Forward,
  lossD: Tensor,
  lossEG: Tensor,
  scores: { encoder: Scores; generator: Scores },
): StepResult {
  return { passes, report: [lossD, lossEG, ...scoreMeans(scores, model), ...(encoding ? encoderHealth(encoding) : [])] };
}
