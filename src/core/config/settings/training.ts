/** Settings of training. */
import { PRECISIONS } from '../../backend/precision.js';
import { CROPS } from '../../data/loading/crop.js';
import { DECAYS, LOSSES, METHODS, UPDATES } from '../config.js';
import { BELOW_ONE, flag, numberIn, oneOf, type SettingGroup, wholeFrom } from './setting.js';

/** Each update of D is a part of the graph of its own. */
const MOST_DISCRIMINATOR_STEPS = 100;

export const trainingSettings: SettingGroup = {
  title: 'Training',
  settings: [
    { path: 'seed', kind: wholeFrom(0, 0x7fffffff), means: 'of everything random', source: 'ours: 0' },
    {
      path: 'train.method',
      kind: oneOf(METHODS),
      means:
        "what G, E and D are trained for; all but `adversarial` are the baselines of BiGAN's paper and want a deterministic E",
      source: 'paper; BiGAN',
    },
    {
      path: 'train.loss',
      kind: oneOf(LOSSES),
      means: 'a hinge for each score (the paper); one hinge on their sum (its footnote 3); cross-entropy (BiGAN)',
      source: 'paper, section 2; BiGAN',
    },
    {
      path: 'train.batchSize',
      // Batch norm needs two.
      kind: wholeFrom(2),
      means: 'images a step and update',
      source: 'BigGAN: 2048; BiGAN: 128',
    },
    {
      path: 'train.microbatch',
      kind: { type: 'whole', least: 2, nullable: true },
      means: 'images of which gradients are taken at one time, to be added up; batch norm sees no more',
      values: 'a divisor of the batch size from 2 on; `null` for the whole batch',
      source: 'ghost batch norm, Hoffer et al. 2017',
    },
    {
      path: 'train.steps',
      kind: wholeFrom(0),
      means: 'steps in all; one is all updates of D and one of G and E',
      source: 'paper: 500,000; Table 3 also 1,000,000',
    },
    {
      path: 'train.discriminatorSteps',
      kind: wholeFrom(1, MOST_DISCRIMINATOR_STEPS),
      means: 'updates of D a step',
      source: 'BigGAN: 2',
    },
    {
      path: 'train.updates',
      kind: oneOf(UPDATES),
      means:
        'D first and then G and E against the new D, or all from the weights before the step (BiGAN), with one update of D and ' +
        'its forward pass used again; methods other than `adversarial` are `simultaneous`',
      source: 'BigGAN: `alternating`; BiGAN: `simultaneous`',
    },
    {
      path: 'train.reuseForward',
      kind: flag,
      means: "G and E are updated on the batch of D's last update, which saves a forward pass, but for microbatches",
      source: 'ours, for small images',
    },
    {
      path: 'train.learningRate.generator',
      kind: numberIn(0, 1),
      means: 'of G by Adam, at the start',
      source: 'BigGAN: 5e-5; compare_gan: 1e-4',
    },
    {
      path: 'train.learningRate.encoder',
      kind: numberIn(0, 1),
      means: "the paper's \"↑E LR\" rows have 10 times G's; a rate, not a factor: it does not follow G's",
      source: "paper: G's, or 10 times G's",
    },
    {
      path: 'train.learningRate.discriminator',
      kind: numberIn(0, 1),
      means: 'the same of D',
      source: 'BigGAN: 2e-4; compare_gan: 5e-4',
    },
    {
      path: 'train.decayFrom',
      kind: numberIn(0, 1),
      means: 'rates are constant up to this fraction of the steps',
      values: '0 to 1; 1 for no decay',
      source: 'BigGAN: none; BiGAN: 0.5',
    },
    {
      path: 'train.decayTo',
      kind: numberIn(0, 1),
      means: 'and fall to this fraction of themselves at the last step',
      values: '0 to 1, with an exponential decay above 0',
      source: 'BiGAN: 0.01',
    },
    {
      path: 'train.decay',
      kind: oneOf(DECAYS),
      means: 'along a straight line, or by the same factor at every step',
      source: 'BiGAN: `exponential`',
    },
    {
      path: 'train.weightDecay',
      kind: numberIn(0, 1),
      means: 'this times the weight is added to its gradient, before Adam',
      source: 'BiGAN: 2.5e-5',
    },
    {
      path: 'train.adam.beta1',
      kind: numberIn(0, BELOW_ONE),
      means: 'decay of the mean of gradients',
      values: '0 to below 1',
      source: 'BigGAN: 0; BiGAN: 0.5',
    },
    {
      path: 'train.adam.beta2',
      kind: numberIn(0, BELOW_ONE),
      means: 'decay of the mean of their squares',
      values: '0 to below 1',
      source: 'BigGAN: 0.999',
    },
    {
      path: 'train.adam.epsilon',
      kind: numberIn(0, 1),
      means: 'added to √v before the bias is corrected, as in TensorFlow',
      source: 'BigGAN-PyTorch: 1e-6 at 128 pixels; Adam: 1e-8',
    },
    {
      path: 'train.averageDecay',
      kind: numberIn(0, BELOW_ONE),
      means:
        "largest decay of the moving average of G's and E's weights; it begins lower, as (1 + step) / (10 + step); 0 for none",
      values: '0 to below 1',
      source: 'BigGAN: 0.9999; the ramp is ours',
    },
    {
      path: 'train.statisticsBatches',
      kind: wholeFrom(1),
      means: 'batches over which standing statistics are taken',
      source: 'BigGAN: standing statistics; the number is ours',
    },
    {
      path: 'train.crop',
      kind: oneOf(CROPS),
      means:
        "part of a stored image that a step sees: ResNet's random part, compare_gan's 'distorted', or all of it, stored at E's " +
        'resolution',
      source: 'paper: ResNet-style (Table 1), the lighter one of compare_gan (Table 3)',
    },
    {
      path: 'train.flip',
      kind: flag,
      means: 'mirror each image with probability 1/2',
      source: 'ResNet: `true`; compare_gan: `false`',
    },
    {
      path: 'train.precision',
      kind: oneOf(PRECISIONS),
      means: 'arithmetic of the networks; a run keeps what it began with',
      source: 'ours: what the processor has',
    },
  ],
};
