/** G, E and D against each other: BigBiGAN and BiGAN, and a plain GAN without E. */

import type { Config } from '../../config/config.js';
import { hasEncoder } from '../../model/config.js';
import {
  detached,
  encoderHealth,
  type Forward,
  forwardPairs,
  scoreMeans,
  scorePairs,
  trainingPass,
} from './forward.js';
import { OBJECTIVES } from './losses.js';
import { gradientsOf, together } from './optimise.js';
import type { Phase } from './phase.js';

/** Updates of D, each on its own batch, then one joint update of G and E against the new D. */
export function alternatingPhases({ model, train }: Config): Phase[] {
  const { discriminatorSteps, reuseForward } = train;
  const objective = OBJECTIVES[train.loss];
  const last = discriminatorSteps - 1;
  const ofD = Array.from(
    { length: discriminatorSteps },
    (_, index): Phase => ({
      name: `discriminator${index}`,
      index,
      updates: { discriminator: `discriminator${index}` },
      run(context) {
        const forward = forwardPairs(context, index, reuseForward && index === last);
        const pass = trainingPass(context, true);
        const scores = scorePairs(pass, detached(forward), model);
        const loss = objective.discriminator(scores.encoder, scores.generator);
        return {
          gradients: gradientsOf(loss, [pass]),
          report: { loss_d: loss, ...scoreMeans(scores, model) },
          forward,
        };
      },
    }),
  );
  const index = reuseForward ? last : discriminatorSteps;
  const ofGE: Phase = {
    name: 'generator_encoder',
    index,
    updates: generatorAndEncoder(model),
    run(context, shared) {
      const forward = shared ?? forwardPairs(context, index, true);
      const scores = scorePairs(trainingPass(context, false), forward, model);
      const loss = objective.encoderGenerator(scores.encoder, scores.generator);
      return { gradients: gradientsOf(loss, forward.passes), report: { loss_eg: loss, ...health(forward) } };
    },
  };
  return [...ofD, ofGE];
}

/**
 * Gradients of both losses at the same weights and from one pass of each network; only then do all three move (BiGAN).
 */
export function simultaneousPhase({ model, train }: Config): Phase {
  const objective = OBJECTIVES[train.loss];
  return {
    name: 'all',
    index: 0,
    updates: { discriminator: 'discriminator0', ...generatorAndEncoder(model) },
    run(context) {
      const forward = forwardPairs(context, 0, true);
      const pass = trainingPass(context, true);
      const scores = scorePairs(pass, forward, model);
      const lossD = objective.discriminator(scores.encoder, scores.generator);
      const lossEG = objective.encoderGenerator(scores.encoder, scores.generator);
      const gradients = together(gradientsOf(lossD, [pass]), gradientsOf(lossEG, forward.passes));
      return {
        gradients,
        report: { loss_d: lossD, loss_eg: lossEG, ...scoreMeans(scores, model), ...health(forward) },
      };
    },
  };
}

const generatorAndEncoder = (model: Config['model']): Phase['updates'] => ({
  generator: 'generator',
  ...(hasEncoder(model) && { encoder: 'encoder' }),
});

const health = ({ encoding }: Forward) => (encoding ? encoderHealth(encoding) : {});
