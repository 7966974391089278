/** What a model consists of. Plain data: it is saved with every run and in every checkpoint. */

/** The scores of D: joint, of the image alone, of the latent alone. */
export const TERMS = ['xz', 'x', 'z'] as const;
export type Term = (typeof TERMS)[number];

export interface ModelConfig {
  /** Side of the square images, and their channels (1 or 3). */
  resolution: number;
  channels: number;
  /** Dimensions of the latent z. */
  latent: number;
  generator: GeneratorConfig;
  discriminator: DiscriminatorConfig;
  encoder: EncoderConfig;
  epsilon: { batchNorm: number; spectralNorm: number };
}

export interface GeneratorConfig {
  /** Channel multiplier ch. */
  channels: number;
  /** Widths in units of ch: of the 4×4 start, then of each block, every one of which doubles the size. */
  multipliers: number[];
}

export interface DiscriminatorConfig {
  /** Channel multiplier of F. */
  channels: number;
  /** Widths of F's blocks in units of ch; a block halves the size until it is `smallest`. */
  multipliers: number[];
  smallest: number;
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

export interface EncoderConfig {
  /** Channel multiplier of the ResNet. */
  channels: number;
  /** Width of each stage's output in units of ch. */
  multipliers: number[];
  /** How many times narrower than its output a unit's inner layers are: 4 in ResNet-50. */
  bottleneck: number;
  /** Bottleneck units a stage; every stage but the first halves the size. */
  units: number[];
  stem: { size: number; stride: number };
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
