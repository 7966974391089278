/** ResNet-v2 (He et al. 2016) as a trunk of E, in the form of google/revisiting-self-supervised. */
import { add, maxPool, relu } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { batchNorm } from '../layers/batch-norm.js';
import { convolution } from '../layers/convolution.js';
import { type Scope, within } from '../layers/scope.js';
import type { TrunkConfig } from './config.js';

/** Images [n,h,w,c] → the last map after batch norm and ReLU, [n, h', w', channels · last multiplier]. */
export function resnetTrunk(scope: Scope, image: Tensor, config: TrunkConfig): Tensor {
  let x = stem(scope, image, config);
  config.multipliers.forEach((multiplier, stage) => {
    for (let unit = 0; unit < config.units[stage]; unit++) {
      const stride = stage > 0 && unit === 0 ? 2 : 1;
      const filters = config.channels * multiplier;
      x = bottleneck(within(scope, `stage${stage}/unit${unit}`), x, filters, filters / config.bottleneck, stride);
    }
  });
  return relu(batchNorm(within(scope, 'batch_norm'), x));
}

/** The first convolution, without bias, norm or activation, and the max pool. */
export function stem(
  scope: Scope,
  image: Tensor,
  { channels, stem: { size, stride, pool } }: Pick<TrunkConfig, 'channels' | 'stem'>,
): Tensor {
  const x = convolution(within(scope, 'stem'), image, channels, { size, stride, bias: false });
  return pool ? maxPool(x, 3, 2) : x;
}

/**
 * Pre-activation bottleneck; the stride is in the 3×3 convolution, the projection shortcut is taken after the
 * activation.
 */
export function bottleneck(scope: Scope, x: Tensor, filters: number, inner: number, stride: number): Tensor {
  const active = relu(batchNorm(within(scope, 'batch_norm0'), x));
  const shortcut =
    stride === 1 && x.shape[3] === filters
      ? x
      : convolution(within(scope, 'conv_skip'), active, filters, { size: 1, stride, bias: false });
  let y = convolution(within(scope, 'conv0'), active, inner, { size: 1, bias: false });
  y = relu(batchNorm(within(scope, 'batch_norm1'), y));
  y = convolution(within(scope, 'conv1'), y, inner, { stride, bias: false });
  y = relu(batchNorm(within(scope, 'batch_norm2'), y));
  y = convolution(within(scope, 'conv2'), y, filters, { size: 1, bias: false });
  return add(shortcut, y);
}
