/** What types alone do not rule out: values and combinations with which nothing can be trained. */
import { PRECISIONS } from '../backend/precision.js';
import { CROPS } from '../data/loading/crop.js';
import { usage } from '../errors.js';
import {
  type BigGanConfig,
  hasDiscriminator,
  hasEncoder,
  imageResolution,
  type ModelConfig,
  PRIORS,
  type ResidualDiscriminatorConfig,
  TERMS,
  type TrunkConfig,
} from '../model/config.js';
import { type Config, DECAYS, LOSSES, METHODS, type TrainConfig, UPDATES } from './config.js';

/** Units of a stage and blocks of a head, each of which is a part of the graph of its own. */
const DEEPEST = 1000;
/** So is each update of D. */
const MOST_DISCRIMINATOR_STEPS = 100;

/** @throws UserError that names the setting and what it may be */
export function checkConfig({ seed, model, train }: Config): void {
  whole('seed', seed, 0, 0x7fffffff);
  checkModel(model);
  checkMethod(model, train);
  checkTraining(train);
}

function checkModel(model: ModelConfig): void {
  const { generator, discriminator, encoder } = model;
  if (model.channels !== 1 && model.channels !== 3)
    throw usage(`expected 1 or 3 for model.channels, got ${model.channels}`);
  wholes('model', model, ['resolution', 'latent', 'classes'], 1);
  oneOf('model.prior', model.prior, PRIORS);
  inRange('model.epsilon.batchNorm', model.epsilon.batchNorm, 0, 1);
  inRange('model.epsilon.spectralNorm', model.epsilon.spectralNorm, 0, 1);

  for (const [name, network] of Object.entries({ generator, discriminator, encoder })) checkFamily(name, network);
  if (generator.kind === 'dense' && model.classes > 1)
    throw usage(`model.classes is ${model.classes}; dense networks have a single label`);
  if (generator.kind !== 'dense') checkGenerator(generator, model);
  if (discriminator.kind !== 'dense') checkDiscriminator(discriminator, model);
  if (encoder.kind !== 'dense') checkEncoder(encoder, model);
  else if (model.prior !== 'uniform')
    throw usage(`model.prior is ${model.prior}; a dense E ends in tanh, for which it is uniform`);
  checkScores(model);
}

/** Dense networks have settings of their own, and go with dense networks: a preset's are of one family or the other. */
function checkFamily(name: string, network: ModelConfig['generator' | 'discriminator' | 'encoder']): void {
  const wasDense = !('channels' in network);
  if (wasDense !== (network.kind === 'dense')) {
    const preset = wasDense ? 'one of networks with convolutions, such as mnist' : 'bigan-mnist';
    throw usage(
      `model.${name}.kind is ${network.kind}, for which the preset lacks the settings`,
      `start from another preset: ${preset}`,
    );
  }
  if (network.kind === 'dense') wholes(`model.${name}`, network, ['hidden'], 1);
}

function checkGenerator(generator: BigGanConfig, { resolution, latent, classes }: ModelConfig): void {
  oneOf('model.generator.kind', generator.kind, ['biggan']);
  wholes('model.generator', generator, ['channels'], 1);
  wholes('model.generator', generator, ['embedding', 'attention'], 0);
  eachWhole('model.generator.multipliers', generator.multipliers);
  const levels = generator.multipliers.length;
  const size = 4 * 2 ** (levels - 1);
  if (size !== resolution) {
    throw usage(
      `model.generator.multipliers has ${levels} levels, which make ${size} pixels, but model.resolution is ${resolution}`,
      goingWith(resolution),
    );
  }
  if (latent % levels !== 0) {
    throw usage(
      `model.latent is ${latent}, which does not split into ${levels} equal chunks (one for each level of G)`,
      `use a multiple of ${levels}`,
    );
  }
  if (classes > 1 && generator.embedding === 0) {
    throw usage(
      `model.classes is ${classes}, but model.generator.embedding is 0: G would not see the label`,
      'BigGAN has 128',
    );
  }
  const sizes = generator.multipliers.slice(1).map((_, i) => 8 * 2 ** i);
  checkAttention(
    'model.generator.attention',
    generator.attention,
    sizes,
    (side) => generator.channels * generator.multipliers[Math.log2(side / 4)],
  );
}

/** All that a resolution asks of other settings, so that it is not found out one by one. */
function goingWith(resolution: number): string {
  const levels = Math.log2(resolution / 4) + 1;
  if (!Number.isInteger(levels) || levels < 1) return 'resolutions are 4 times a power of 2';
  return (
    `${resolution} pixels need ${levels} multipliers (one for 4×4 and one for each doubling), a model.latent that ${levels} divides, ` +
    `and a model.encoder.resolution of ${resolution}, ${2 * resolution} or ${4 * resolution}`
  );
}

function checkDiscriminator(discriminator: ResidualDiscriminatorConfig, { resolution }: ModelConfig): void {
  oneOf('model.discriminator.kind', discriminator.kind, ['residual']);
  wholes('model.discriminator', discriminator, ['channels', 'smallest', 'hidden'], 1);
  wholes('model.discriminator', discriminator, ['attention'], 0);
  wholes('model.discriminator', discriminator, ['blocks'], 0, DEEPEST);
  eachWhole('model.discriminator.multipliers', discriminator.multipliers);
  oneOf('model.discriminator.joint', discriminator.joint, ['pooled', 'map']);
  const sizes: number[] = [];
  discriminator.multipliers.reduce((side) => {
    sizes.push(side > discriminator.smallest ? Math.ceil(side / 2) : side);
    return sizes.at(-1)!;
  }, resolution);
  const width = (side: number) => discriminator.channels * discriminator.multipliers[sizes.lastIndexOf(side)];
  checkAttention('model.discriminator.attention', discriminator.attention, sizes, width);
}

function checkAttention(
  name: string,
  attention: number,
  sizes: readonly number[],
  width: (side: number) => number,
): void {
  if (attention === 0) return;
  const sides = [...new Set(sizes)];
  if (!sides.includes(attention)) {
    throw usage(
      `${name} is ${attention}, but the maps have sides ${sides.join(', ')}`,
      `use one of these, or 0 for no non-local block`,
    );
  }
  if (width(attention) < 8)
    throw usage(`${name} is ${attention}, where there are ${width(attention)} channels; a non-local block needs 8`);
}

function checkEncoder(encoder: TrunkConfig, { resolution, prior }: ModelConfig): void {
  oneOf('model.encoder.kind', encoder.kind, ['resnet', 'revnet', 'none']);
  if (encoder.kind === 'none') return;
  wholes('model.encoder', encoder, ['resolution', 'channels', 'bottleneck', 'hidden'], 1);
  wholes('model.encoder', encoder, ['blocks'], 0, DEEPEST);
  eachWhole('model.encoder.multipliers', encoder.multipliers);
  eachWhole('model.encoder.units', encoder.units, DEEPEST);
  const factor = encoder.resolution / resolution;
  if (!Number.isInteger(Math.log2(factor)) || factor < 1) {
    const valid = [1, 2, 4].map((times) => times * resolution).join(', ');
    throw usage(
      `model.encoder.resolution is ${encoder.resolution}, but model.resolution (of G and D) is ${resolution}`,
      `E sees images of G's size or a power of 2 times it: ${valid}`,
    );
  }
  wholes('model.encoder.stem', encoder.stem, ['size', 'stride'], 1, encoder.resolution);
  if (prior === 'uniform' && encoder.stochastic) {
    throw usage(
      'model.prior is uniform, for which E ends in tanh and is deterministic',
      'add --set model.encoder.stochastic=false',
    );
  }
  if (encoder.units.length !== encoder.multipliers.length) {
    throw usage(
      `model.encoder.units has ${encoder.units.length} stages, model.encoder.multipliers ${encoder.multipliers.length}`,
    );
  }
  // A RevNet's units work on half of the channels.
  const share = encoder.kind === 'revnet' ? 2 : 1;
  const indivisible = encoder.multipliers.find(
    (multiplier) => (encoder.channels * multiplier) % (share * encoder.bottleneck) !== 0,
  );
  if (indivisible !== undefined) {
    const half = share === 2 ? 'half of ' : '';
    throw usage(
      `model.encoder.bottleneck is ${encoder.bottleneck}, which does not divide ${half}the width ${encoder.channels * indivisible}`,
    );
  }
  if (encoder.kind === 'revnet') {
    // Widths grow by channels of zeros, so they cannot shrink.
    const falls = encoder.multipliers.findIndex((multiplier, i) => multiplier < (encoder.multipliers[i - 1] ?? 1));
    if (falls >= 0)
      throw usage(`model.encoder.multipliers is ${encoder.multipliers}, but a RevNet's stages never get narrower`);
    const added = encoder.channels * (encoder.multipliers[0] - 1);
    if (added % 2 !== 0) {
      throw usage(
        `model.encoder.channels is ${encoder.channels} and the first stage ${encoder.channels + added} wide; a RevNet adds as many channels on either side`,
        'choose even model.encoder.channels',
      );
    }
  }
}

function checkScores(model: ModelConfig): void {
  const { scores, kind } = model.discriminator;
  scores.forEach((score) => {
    if (!TERMS.includes(score)) throw usage(`there is no score "${score}"`, `scores: ${TERMS.join(', ')}`);
  });
  const list = scores.join(',');
  if (new Set(scores).size !== scores.length) throw usage(`a score is named twice: ${list}`);
  if (!hasEncoder(model)) {
    if (list !== 'x')
      throw usage(
        `the objective ${list} judges latents, but model.encoder.kind is none`,
        'without E the objective is x alone',
      );
  } else if (kind === 'dense' && scores.length > 1) {
    throw usage(`the objective ${list} has ${scores.length} scores; a dense D has one`, 'use xz, or x');
  }
  if (model.classes > 1 && hasDiscriminator(model) && !scores.includes('x')) {
    throw usage(
      `model.classes is ${model.classes}, but the objective ${list} lacks the score x, which is the one that sees labels`,
      'add x',
    );
  }
}

/** What D judges, what E gives, and how updates go, as the method needs it. */
function checkMethod(model: ModelConfig, { method, updates, discriminatorSteps, reuseForward }: TrainConfig): void {
  const list = model.discriminator.scores.join(',');
  oneOf('train.method', method, METHODS);
  oneOf('train.updates', updates, UPDATES);
  if (updates === 'simultaneous' && (discriminatorSteps !== 1 || !reuseForward)) {
    throw usage(
      'train.updates is simultaneous: one update of each network, from one forward pass',
      'set train.discriminatorSteps=1 and train.reuseForward=true',
    );
  }
  if (method === 'adversarial') {
    if (hasEncoder(model) && !list.split(',').includes('xz')) {
      throw usage(
        `the objective ${list} lacks the joint score xz, without which E learns nothing of G`,
        'add xz, or choose model.encoder.kind=none',
      );
    }
    return;
  }
  const wanted = method.startsWith('autoencoder') ? '' : 'x';
  if (list !== wanted) {
    const what = wanted ? 'D judges images alone' : 'there is no D';
    throw usage(
      `train.method is ${method}, in which ${what}, but the scores are ${list || 'none'}`,
      `start from the preset ${method}-mnist`,
    );
  }
  if (updates !== 'simultaneous')
    throw usage(`train.method is ${method}, whose updates are simultaneous`, 'set train.updates=simultaneous');
  const { encoder } = model;
  if (encoder.kind === 'none')
    throw usage(`train.method is ${method}, but model.encoder.kind is none`, 'it trains E: choose a kind');
  if (encoder.kind !== 'dense' && encoder.stochastic) {
    throw usage(
      `train.method is ${method}, in which E gives one latent for an image`,
      'set model.encoder.stochastic=false',
    );
  }
  if (wanted === 'x' && imageResolution(model) !== model.resolution) {
    throw usage(
      `train.method is ${method}: E sees G's images, but takes ${imageResolution(model)} pixels, not ${model.resolution}`,
    );
  }
}

function checkTraining(train: TrainConfig): void {
  wholes('train', train, ['statisticsBatches'], 1);
  // Batch norm needs two.
  wholes('train', train, ['batchSize'], 2);
  wholes('train', train, ['discriminatorSteps'], 1, MOST_DISCRIMINATOR_STEPS);
  wholes('train', train, ['steps'], 0);
  if (train.microbatch !== null) {
    whole('train.microbatch', train.microbatch, 2);
    if (train.batchSize % train.microbatch !== 0) {
      throw usage(`train.microbatch is ${train.microbatch}, which does not divide train.batchSize, ${train.batchSize}`);
    }
  }
  oneOf('train.precision', train.precision, PRECISIONS);
  oneOf('train.loss', train.loss, LOSSES);
  oneOf('train.crop', train.crop, CROPS);
  oneOf('train.decay', train.decay, DECAYS);
  if (train.decay === 'exponential' && train.decayTo === 0)
    throw usage('expected more than 0 for train.decayTo where train.decay is exponential, got 0');
  inRange('train.weightDecay', train.weightDecay, 0, 1);
  for (const [name, rate] of Object.entries(train.learningRate)) inRange(`train.learningRate.${name}`, rate, 0, 1);
  inRange('train.decayFrom', train.decayFrom, 0, 1);
  inRange('train.decayTo', train.decayTo, 0, 1);
  inRange('train.adam.beta1', train.adam.beta1, 0, 0.9999999);
  inRange('train.adam.beta2', train.adam.beta2, 0, 0.9999999);
  inRange('train.adam.epsilon', train.adam.epsilon, 0, 1);
  inRange('train.averageDecay', train.averageDecay, 0, 0.9999999);
}

function whole(name: string, value: number, least: number, most = Infinity): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw usage(
    `expected a whole number of ${least} ${most === Infinity ? 'or more' : `to ${most}`} for ${name}, got ${value}`,
  );
}

function wholes<T extends object>(
  path: string,
  group: T,
  names: (keyof T & string)[],
  least: number,
  most?: number,
): void {
  for (const name of names) whole(`${path}.${name}`, group[name] as number, least, most);
}

function eachWhole(name: string, values: readonly number[], most?: number): void {
  values.forEach((value, i) => whole(`${name}[${i}]`, value, 1, most));
}

function inRange(name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) throw usage(`expected ${low} to ${high} for ${name}, got ${value}`);
}

function oneOf(name: string, value: string, valid: readonly string[]): void {
  if (!valid.includes(value)) throw usage(`expected ${valid.join(' or ')} for ${name}, got ${value || 'nothing'}`);
}
