/**
 * A start for E, once before training; not in the paper. A freshly initialised E emits μ ≈ 0 under σ ≈ 0.7, which
 * the z score takes for the prior, so that E learns little for long. Here each dimension of μ is shifted and scaled
 * to mean 0 and variance 1 over real images, and σ starts small.
 */
import type { EagerExecutor } from '../backend/eager.js';
import { mean, mul, sqrt, sub } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import type { AllocatedVariables } from '../backend/variables.js';
import { modelPass } from '../model/bigbigan.js';
import type { ModelConfig } from '../model/config.js';
import { encode } from '../model/encoder.js';
import { fromPixels } from '../model/pixels.js';

/** The weights of σ̂ are made this much smaller, so that its bias decides at first. */
const SIGMA_SHRINK = 0.1;

/** @param images uint8 [n,h,w,c] */
export function calibrateEncoder(
  engine: EagerExecutor,
  config: ModelConfig,
  variables: AllocatedVariables,
  images: Tensor,
): void {
  const { encoder } = config;
  if (encoder.kind === 'dense' || encoder.kind === 'none' || encoder.calibrateSigma === null) return;
  const { calibrateSigma } = encoder;
  const { centre, spread } = engine.scope(() => {
    const pass = modelPass(config, variables, { weights: 'trained', statistics: 'batch' });
    const mu = encode(pass, fromPixels(images), config).mean;
    const centred = sub(mu, mean(mu, [0], true));
    return {
      centre: engine.read(mean(mu, [0])) as Float32Array,
      spread: engine.read(sqrt(mean(mul(centred, centred), [0]))) as Float32Array,
    };
  });
  const read = (name: string) => engine.scope(() => (engine.read(variables.read(name)) as Float32Array).slice());
  const kernel = read('encoder/output/kernel');
  const bias = read('encoder/output/bias');
  const outputs = bias.length;
  const factor = (j: number) => (j < config.latent ? 1 / Math.max(spread[j], 1e-6) : SIGMA_SHRINK);
  for (let i = 0; i < kernel.length; i++) kernel[i] *= factor(i % outputs);
  for (let j = 0; j < outputs; j++) {
    bias[j] = j < config.latent ? (bias[j] - centre[j]) * factor(j) : calibrateSigma;
  }
  variables.set('encoder/output/kernel', kernel);
  variables.set('encoder/output/bias', bias);
}
