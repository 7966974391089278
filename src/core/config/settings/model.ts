/** Settings of the model. */
import { PRIORS, TERMS } from '../../model/config.js';
import { flag, numberIn, oneOf, type SettingGroup, wholeFrom, wholesFrom } from './setting.js';

/** Units of a stage and blocks of a head: each is a part of the graph of its own. */
const DEEPEST = 1000;

const words = (list: readonly string[]) => list.map((word) => `\`${word}\``).join(', ');

export const modelSettings: SettingGroup = {
  title: 'Model',
  settings: [
    {
      path: 'model.resolution',
      kind: wholeFrom(1),
      means: 'side of the images of G and D',
      values: '4 times a power of 2; of dense networks any',
      source: 'paper: 128; Table 1 also 64 and 256',
    },
    { path: 'model.channels', kind: oneOf([1, 3]), means: 'their channels: grey or colour', source: 'the data' },
    {
      path: 'model.latent',
      kind: wholeFrom(1),
      means: 'dimensions of z; G gives an equal chunk to each of its levels',
      values: "a multiple of the number of G's levels; of dense networks any",
      source: 'paper: 120 at 128 pixels; BiGAN: 50',
    },
    {
      path: 'model.prior',
      kind: oneOf(PRIORS),
      means:
        'P_z: N(0, I), or uniform on [−1, 1], for which E ends in tanh and has to be deterministic; a dense E always does, ' +
        'and needs `uniform`',
      source: 'paper: `normal` (Base), `uniform` (row Uniform P_z); BiGAN: `uniform`',
    },
    {
      path: 'model.classes',
      kind: wholeFrom(1),
      means:
        'labels on which G and D are conditioned, with an embedding in G; 1 for none, and always of dense networks',
      values: 'as many as the dataset has, or 1',
      source: 'paper: 1; more is BigGAN',
    },
    {
      path: 'model.epsilon.batchNorm',
      kind: numberIn(0, 1),
      means: 'added to the variance in batch norm',
      source: 'BigGAN: 1e-4; BigGAN-PyTorch: 1e-5',
    },
    {
      path: 'model.epsilon.spectralNorm',
      kind: numberIn(0, 1),
      means: 'least norm in power iteration, and least singular value to divide by',
      source: 'BigGAN: 1e-4; BigGAN-PyTorch: 1e-8',
    },
  ],
};

export const generatorSettings: SettingGroup = {
  title: 'G',
  settings: [
    {
      path: 'model.generator.kind',
      kind: oneOf(['biggan', 'dense']),
      means: "BigGAN's generator, or the perceptron of BiGAN; the preset decides which",
      source: 'BigGAN; BiGAN',
    },
    {
      path: 'model.generator.channels',
      kind: wholeFrom(1),
      means: 'channel multiplier ch',
      source: 'paper: 96; Table 1 also 32 and 64',
    },
    {
      path: 'model.generator.multipliers',
      kind: wholesFrom(1),
      means: 'width, in units of ch, of the 4×4 start and then of each block; every block doubles the size',
      values: 'one for each level: 6 at 128 pixels',
      source: 'BigGAN',
    },
    {
      path: 'model.generator.embedding',
      kind: wholeFrom(0),
      means: 'size of the embedding of labels that all conditional norms share',
      values: '0 (none, one label only), BigGAN 128',
      source: 'BigGAN: 128',
    },
    {
      path: 'model.generator.attention',
      kind: wholeFrom(0),
      means: 'side of the map of the non-local block',
      values: 'a side that G has from 8 on, with 8 channels or more; 0 for none',
      source: 'BigGAN: 64 at 128 pixels',
    },
    {
      path: 'model.generator.hidden',
      kind: wholeFrom(1),
      means: 'of a dense G, D or E: width of both hidden layers',
      source: 'BiGAN: 1024',
    },
  ],
};

export const discriminatorSettings: SettingGroup = {
  title: 'D',
  settings: [
    {
      path: 'model.discriminator.kind',
      kind: oneOf(['residual', 'dense']),
      means: 'F, H and J with residual blocks, or the perceptron of BiGAN',
      source: 'paper; BiGAN',
    },
    {
      path: 'model.discriminator.channels',
      kind: wholeFrom(1),
      means: 'channel multiplier of F',
      source: 'BigGAN: 96',
    },
    {
      path: 'model.discriminator.multipliers',
      kind: wholesFrom(1),
      means: "width of each of F's blocks in units of ch",
      values: '1 or more, one a block',
      source: 'BigGAN',
    },
    {
      path: 'model.discriminator.smallest',
      kind: wholeFrom(1),
      means: 'blocks halve the size until it is this',
      values: "1 or more; the paper's presets 4",
      source: 'BigGAN: 4',
    },
    {
      path: 'model.discriminator.attention',
      kind: wholeFrom(0),
      means: "side of the map of F's non-local block",
      values: 'a side that F has, with 8 channels or more; 0 for none',
      source: 'BigGAN: 64 at 128 pixels',
    },
    {
      path: 'model.discriminator.hidden',
      kind: wholeFrom(1),
      means: 'width of the layers of H and J; of a dense D, of both hidden layers',
      values: '1 or more; the paper 2048',
      source: 'paper: 2048; BiGAN: 1024',
    },
    {
      path: 'model.discriminator.blocks',
      kind: wholeFrom(0, DEEPEST),
      means: 'residual blocks of two layers in H and in J',
      values: "0 to 1000; the paper's 8 layers are 4",
      source: 'paper: 4',
    },
    {
      path: 'model.discriminator.scores',
      kind: { type: 'words' },
      means: 'terms of the objective: joint, of images alone, of latents alone',
      values:
        `some of \`${TERMS.join(',')}\`; with E \`xz\` is one, without E it is \`x\` alone, with labels \`x\` is one; a dense D has \`xz\`, ` +
        'the regressors `x`, the autoencoders none',
      source: 'paper, section 2; rows x Unary Only, z Unary Only and No Unaries of Table 1',
    },
    {
      path: 'model.discriminator.joint',
      kind: oneOf(['pooled', 'map']),
      means:
        "what J sees of an image: F's sum-pooled vector, or its last map, which is a choice of ours for small images",
      source: 'BigGAN pools; `map` is ours',
    },
    {
      path: 'model.discriminator.latentSpectralNorm',
      kind: flag,
      means: 'spectral norm in H and J',
      source: 'our reading: all of D, as BigGAN; `false` is our choice for small images',
    },
  ],
};

export const encoderSettings: SettingGroup = {
  title: 'E',
  settings: [
    {
      path: 'model.encoder.kind',
      kind: oneOf(['resnet', 'revnet', 'none', 'dense']),
      means: 'trunk; `none` for a plain GAN; the preset decides on `dense`',
      values: words(['resnet', 'revnet', 'none', 'dense']),
      source: 'paper: ResNet-v2 and RevNet; row No E; BiGAN: `dense`',
    },
    {
      path: 'model.encoder.resolution',
      kind: wholeFrom(1),
      means: "side of the images that E sees; D sees means of them at G's size",
      values: "G's side times a power of 2",
      source: 'paper: 128 (Base) and 256',
    },
    {
      path: 'model.encoder.channels',
      kind: wholeFrom(1),
      means: "channels of the stem; of a RevNet, as wide as the first stage in the paper's (256 for ×1)",
      source: 'ResNet: 64',
    },
    {
      path: 'model.encoder.multipliers',
      kind: wholesFrom(1),
      means: "width of each stage's output in units of the stem's",
      values: "one a stage; a RevNet's never fall",
      source: 'ResNet: 4,8,16,32',
    },
    {
      path: 'model.encoder.bottleneck',
      kind: wholeFrom(1),
      means: "how many times narrower a unit's inner layers are than its output",
      values: "a divisor of every stage's width, of a RevNet's half width; ResNet-50 has 4",
      source: 'ResNet: 4',
    },
    {
      path: 'model.encoder.units',
      kind: wholesFrom(1, DEEPEST),
      means: 'units of each stage; every stage but the first halves the size',
      values: '1 to 1000 each: `3,4,6,3` is ResNet-50, `3,4,23,3` ResNet-101',
      source: 'ResNet',
    },
    {
      path: 'model.encoder.stem.size',
      kind: wholeFrom(1),
      means: 'kernel of the first convolution',
      values: '1 to the resolution',
      source: 'ResNet: 7',
    },
    {
      path: 'model.encoder.stem.stride',
      kind: wholeFrom(1),
      means: 'its stride',
      values: '1 to the resolution',
      source: 'ResNet: 2',
    },
    {
      path: 'model.encoder.stem.pool',
      kind: flag,
      means: 'whether a 3×3 max pool of stride 2 follows',
      source: 'ResNet: `true`',
    },
    {
      path: 'model.encoder.hidden',
      kind: wholeFrom(1),
      means: "width of the head's layers; of a dense E, of both hidden layers",
      values: '1 or more; the paper 4096',
      source: 'paper: 4096; BiGAN: 1024',
    },
    {
      path: 'model.encoder.blocks',
      kind: wholeFrom(0, DEEPEST),
      means: 'residual blocks of two layers in the head',
      values: "0 to 1000; the paper's 4 layers are 2",
      source: 'paper: 2',
    },
    {
      path: 'model.encoder.stochastic',
      kind: flag,
      means: 'whether E gives N(μ, σ) or z itself',
      source: 'paper: `true` (Base), `false` (row Deterministic E)',
    },
    {
      path: 'model.encoder.calibrateSigma',
      kind: { type: 'number', nullable: true },
      means:
        "bias of σ's input at the start, where μ over real images is brought to unit variance first; `null` leaves the initial " +
        'weights alone',
      source: 'ours',
    },
  ],
};
