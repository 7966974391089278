/** Self-attention over the places of a map (Wang et al. 2018; Zhang et al. 2019), at BigGAN's widths. */

import { zeros } from '../backend/initialise.js';
import { add, batchMatMul, maxPool, mul, reshape, softmax } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { convolution } from './convolution.js';
import { parameter, type Scope, within } from './scope.js';

/**
 * x [n,h,w,c] → x + gate · o(softmax(θ(x) φ(x)ᵀ) g(x)) of the same shape. θ and φ have c/8 channels, g has c/2; φ and g
 * are max-pooled 2×2. All are 1×1 convolutions with spectral norm and without bias; the gate starts at 0.
 */
export function nonLocalBlock(scope: Scope, x: Tensor): Tensor {
  const [n, h, w, c] = x.shape;
  const project = (name: string, from: Tensor, filters: number) =>
    convolution(within(scope, name), from, filters, { size: 1, bias: false, spectralNorm: true });
  const places = h * w;
  const pooledPlaces = Math.ceil(h / 2) * Math.ceil(w / 2);
  const [narrow, half] = [Math.floor(c / 8), Math.floor(c / 2)];
  const theta = reshape(project('theta', x, narrow), [n, places, narrow]);
  const phi = reshape(maxPool(project('phi', x, narrow), 2, 2), [n, pooledPlaces, narrow]);
  const g = reshape(maxPool(project('g', x, half), 2, 2), [n, pooledPlaces, half]);
  const attended = batchMatMul(softmax(batchMatMul(theta, phi, false, true)), g);
  const o = project('o', reshape(attended, [n, h, w, half]), c);
  return add(x, mul(o, parameter(scope, 'gate', [], zeros)));
}
