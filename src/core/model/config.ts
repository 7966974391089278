/** What a model consists of. Plain data: it is saved with every run and in every checkpoint. */

/** The scores of D: joint, of the image alone, of the latent alone. */
export const TERMS = ['xz', 'x', 'z'] as const;
export type Term = (typeof TERMS)[number];

/** P_z: N(0, I), or uniform on [−1, 1] in each dimension, for which E ends in tanh. */
export const PRIORS = ['normal', 'uniform'] as const;
export type Prior = (typeof PRIORS)[number];

export interface ModelConfig {
  /** Side of the square images of G and D, and their channels (1 or 3). */
  resolution: number;
  channels: number;
  /** Dimensions of the latent z. */
  latent: number;
  prior: Prior;
  /** Labels on which G and D are conditioned; 1 is the single dummy label of unconditional models (section 3.1). */
  classes: number;
  generator: GeneratorConfig;
  discriminator: DiscriminatorConfig;
  encoder: EncoderConfig;
  epsilon: { batchNorm: number; spectralNorm: number };
}

export type GeneratorConfig = BigGanConfig | DenseConfig;
export type DiscriminatorConfig = ResidualDiscriminatorConfig | DenseDiscriminatorConfig;
export type EncoderConfig = TrunkConfig | DenseConfig;

export interface BigGanConfig {
  kind: 'biggan';
  /** Channel multiplier ch. */
  channels: number;
  /** Widths in units of ch: of the 4×4 start, then of each block, every one of which doubles the size. */
  multipliers: number[];
  /** Size of the embedding of labels that all conditional norms share; 0 for none, with a single label only. */
  embedding: number;
  /** Side of the map that the non-local block works on; 0 for none. */
  attention: number;
}

export interface ResidualDiscriminatorConfig {
  kind: 'residual';
  /** Channel multiplier of F. */
  channels: number;
  /** Widths of F's blocks in units of ch; a block halves the size until it is `smallest`. */
  multipliers: number[];
  smallest: number;
  /** Side of the map that F's non-local block works on; 0 for none. */
  attention: number;
  /** Width of H's and J's layers, and their number of residual blocks of two layers. */
  hidden: number;
  blocks: number;
  /** Which scores there are, and so which terms the objective has: the joint one and the two unary ones. */
  scores: Term[];
  /**
   * What J sees of an image: F's sum-pooled vector, or its last map flattened, which keeps where things are. The
   * paper says "a function of the outputs of F and H"; the map is a choice of ours for small presets.
   */
  joint: 'pooled' | 'map';
  /** Spectral norm in H and J. */
  latentSpectralNorm: boolean;
}

export interface TrunkConfig {
  /** Kind of the trunk; `none` for a plain GAN, without E. */
  kind: 'resnet' | 'revnet' | 'none';
  /** Side of the images that E sees: that of G's, or a power of 2 times it; D then sees means of 2×2 pixels. */
  resolution: number;
  /** Channels of the stem, the unit of `multipliers`. */
  channels: number;
  /** Width of each stage's output in units of the stem's. */
  multipliers: number[];
  /** How many times narrower than its output a unit's inner layers are: 4 in ResNet-50. */
  bottleneck: number;
  /** Bottleneck units a stage; every stage but the first halves the size. */
  units: number[];
  /** First convolution, and whether a 3×3 max pool of stride 2 follows. */
  stem: { size: number; stride: number; pool: boolean };
  /** Width of the head's layers, and its number of residual blocks of two layers. */
  hidden: number;
  blocks: number;
  /** Predict σ and sample z, or predict z alone. */
  stochastic: boolean;
  /**
   * Start from unit variance of μ over real images, with σ̂ biased by this much (see train/calibrate.ts);
   * null leaves the initial weights alone.
   */
  calibrateSigma: number | null;
}

/** The perceptrons of BiGAN (Donahue et al. 2017) on images as vectors; `hidden` is the width of both hidden layers. */
export interface DenseConfig {
  kind: 'dense';
  hidden: number;
}

export interface DenseDiscriminatorConfig extends DenseConfig {
  /** One score, or none: then there is no D. */
  scores: Term[];
}

export const hasDiscriminator = ({ discriminator }: ModelConfig): boolean => discriminator.scores.length > 0;

export const hasEncoder = ({ encoder }: ModelConfig): boolean => encoder.kind !== 'none';

/** Side of the images that a run is trained on: those that E sees, which D sees shrunk. */
export function imageResolution({ encoder, resolution }: ModelConfig): number {
  return encoder.kind === 'resnet' || encoder.kind === 'revnet' ? encoder.resolution : resolution;
}

/** Width of E's pooled features. */
export function featureWidth({ encoder }: ModelConfig): number {
  if (encoder.kind === 'dense') return encoder.hidden;
  return encoder.kind === 'none' ? 0 : encoder.channels * encoder.multipliers.at(-1)!;
}
