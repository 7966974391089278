/** The operations that layers, losses and metrics are written in. */

export { constant, fill, ints, scalar } from './executor.js';
export { gradients, stopGradient, watch } from './gradient.js';
export * from './ops/activation.js';
export * from './ops/arithmetic.js';
export * from './ops/convolution.js';
export * from './ops/identity.js';
export * from './ops/normalisation.js';
export * from './ops/random.js';
export * from './ops/shape.js';
