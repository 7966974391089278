/** Labels on which G and D are conditioned. */
import { cast, mul, randomUniform, reshape, scalar, splitSizes, zerosLike } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';

/** The dummy label of unconditional models: int32 [n] of 0 for latents [n, latent], whatever n a graph is run with. */
export function singleLabel(z: Tensor): Tensor {
  const [n, latent] = z.shape;
  const [column] = splitSizes(z, latent > 1 ? [1, latent - 1] : [1], 1);
  return cast(zerosLike(reshape(column, [n])), 'int32');
}

/** Labels drawn uniformly, int32 [n]; `seed` is an int32 tensor [2]. */
export function randomLabels(n: number, classes: number, seed: Tensor): Tensor {
  return cast(mul(randomUniform([n], seed), scalar(classes)), 'int32');
}
