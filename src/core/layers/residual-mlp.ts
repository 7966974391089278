/** The MLPs of H, J and the encoder's head: residual blocks of two layers. */
import { add, relu } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import { type LayerOptions, linear } from './linear.js';
import { type Scope, within } from './scope.js';

/**
 * `blocks` blocks of two linear layers, and a ReLU at the end. The paper states layers and widths (section 3.1) but
 * neither the order nor the first skip: here blocks are pre-activated, except for the first, whose input is signed or
 * positive already, and where the input has another width than the layers, its skip is a linear projection. A path
 * without ReLUs so leads from z to the scores; without it E receives a fraction of the gradient.
 */
export function residualMlp(scope: Scope, x: Tensor, width: number, blocks: number, options: LayerOptions): Tensor {
  let y = x;
  for (let i = 0; i < blocks; i++) {
    const block = within(scope, `block${i}`);
    const input = i === 0 ? y : relu(y);
    const inner = relu(linear(within(block, 'linear0'), input, width, options));
    const outer = linear(within(block, 'linear1'), inner, width, options);
    const skip = y.shape[1] === width ? y : linear(within(block, 'skip'), y, width, { ...options, bias: false });
    y = add(outer, skip);
  }
  return relu(y);
}
