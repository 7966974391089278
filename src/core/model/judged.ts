/** What D judges, and its scores. */
import type { Tensor } from '../backend/tensor.js';
import type { Term } from './config.js';

/** One score a pair, an image, or a latent: each [n]; those that the model has. */
export type Scores = Partial<Record<Term, Tensor>>;

/** What D judges. */
export interface Judged {
  /**
   * [−1, 1], in one or several batches [n,h,w,c]: F runs on each separately, so that nothing is propagated back through
   * those that need no gradient.
   */
  images: readonly Tensor[];
  /** Latents of all of them in order, [Σn, latent]; absent where D sees images only. */
  latents?: Tensor;
  /** Labels of all of them in order, int32 [Σn]; absent where there is a single label. */
  labels?: Tensor;
}
