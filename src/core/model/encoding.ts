/** What E makes of images. */
import type { Tensor } from '../backend/tensor.js';

export interface Encoding {
  /**
   * Global average of the trunk's last map, or a dense E's last hidden layer: the feature that is judged, [n,
   * features].
   */
  avepool: Tensor;
  /** [ReLU(h), ReLU(−h)] of the parameter-free batch norm h of avepool (section 3.2), [n, 2 · features]. */
  bnCrelu: Tensor;
  /** μ, [n, latent]; z itself when E is deterministic. */
  mean: Tensor;
  /** σ, [n, latent]; absent when E is deterministic. */
  std?: Tensor;
  /** With the uniform prior, the u of which the mean is 2σ(u) − 1, [n, latent]. */
  logits?: Tensor;
}
