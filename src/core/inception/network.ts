/**
 * Inception v3 as its authors released it on 2015-12-05, whose features FID and the Inception Score are defined on
 * (Heusel et al. 2017, Salimans et al. 2016). It is not the Inception v3 of other libraries: average pools leave the
 * padding out of their means, the last block pools by maximum, and there are 1008 classes.
 *
 * Batch norm is part of the kernels and biases here (weights.ts). Modules have the names of PyTorch's port; the order
 * in which they are used is that of other programs' numbers for them.
 */
import { zeros } from '../backend/initialise.js';
import { avgPool, biasAdd, concat, conv2d, matMul, maxPool, mean, type Padding, relu } from '../backend/ops.js';
import type { Tensor } from '../backend/tensor.js';
import type { Variables } from '../backend/variables.js';

export const SIDE = 299;
export const WIDTH = 2048;
export const CLASSES = 1008;

/** A convolution: name, filters, height and width of the kernel; stride 2 only without padding. */
type Layer = readonly [name: string, filters: number, height: number, width: number, stride?: 1 | 2];

interface Block {
  variables: Variables;
  path: string;
}

/**
 * x [n,299,299,3] in [−1, 1] → `features` [n,2048], `unbiased` and `logits` [n,1008]. Other sides from 75 on work too.
 */
export function inception(variables: Variables, x: Tensor): Record<'features' | 'unbiased' | 'logits', Tensor> {
  const features = inceptionFeatures(variables, x, maxPool);
  const unbiased = matMul(features, parameter(variables, 'fc/kernel', [WIDTH, CLASSES]));
  return { features, unbiased, logits: biasAdd(unbiased, parameter(variables, 'fc/bias', [CLASSES])) };
}

/**
 * The network below its classifier. `lastPool` is the last block's: other releases of Inception v3 take the average
 * there too.
 */
export function inceptionFeatures(
  variables: Variables,
  images: Tensor,
  lastPool: typeof maxPool | typeof avgPool,
): Tensor {
  const stem = { variables, path: '' };
  let x = convolution(stem, images, ['Conv2d_1a_3x3', 32, 3, 3, 2]);
  x = convolution(stem, x, ['Conv2d_2a_3x3', 32, 3, 3], 'VALID');
  x = maxPool(convolution(stem, x, ['Conv2d_2b_3x3', 64, 3, 3]), 3, 2, 'VALID');
  x = convolution(stem, x, ['Conv2d_3b_1x1', 80, 1, 1]);
  x = maxPool(convolution(stem, x, ['Conv2d_4a_3x3', 192, 3, 3], 'VALID'), 3, 2, 'VALID');
  const block = (name: string) => ({ variables, path: `${name}/` });
  x = blockA(block('Mixed_5b'), x, 32);
  x = blockA(block('Mixed_5c'), x, 64);
  x = blockA(block('Mixed_5d'), x, 64);
  x = blockB(block('Mixed_6a'), x);
  x = blockC(block('Mixed_6b'), x, 128);
  x = blockC(block('Mixed_6c'), x, 160);
  x = blockC(block('Mixed_6d'), x, 160);
  x = blockC(block('Mixed_6e'), x, 192);
  x = blockD(block('Mixed_7a'), x);
  x = blockE(block('Mixed_7b'), x, avgPool(x, 3, 1));
  return mean(blockE(block('Mixed_7c'), x, lastPool(x, 3, 1)), [1, 2]);
}

function blockA(block: Block, x: Tensor, poolFilters: number): Tensor {
  return join(
    chain(block, x, ['branch1x1', 64, 1, 1]),
    chain(block, x, ['branch5x5_1', 48, 1, 1], ['branch5x5_2', 64, 5, 5]),
    chain(block, x, ['branch3x3dbl_1', 64, 1, 1], ['branch3x3dbl_2', 96, 3, 3], ['branch3x3dbl_3', 96, 3, 3]),
    chain(block, avgPool(x, 3, 1), ['branch_pool', poolFilters, 1, 1]),
  );
}

function blockB(block: Block, x: Tensor): Tensor {
  return join(
    chain(block, x, ['branch3x3', 384, 3, 3, 2]),
    chain(block, x, ['branch3x3dbl_1', 64, 1, 1], ['branch3x3dbl_2', 96, 3, 3], ['branch3x3dbl_3', 96, 3, 3, 2]),
    maxPool(x, 3, 2, 'VALID'),
  );
}

function blockC(block: Block, x: Tensor, n: number): Tensor {
  return join(
    chain(block, x, ['branch1x1', 192, 1, 1]),
    chain(block, x, ['branch7x7_1', n, 1, 1], ['branch7x7_2', n, 1, 7], ['branch7x7_3', 192, 7, 1]),
    chain(
      block,
      x,
      ['branch7x7dbl_1', n, 1, 1],
      ['branch7x7dbl_2', n, 7, 1],
      ['branch7x7dbl_3', n, 1, 7],
      ['branch7x7dbl_4', n, 7, 1],
      ['branch7x7dbl_5', 192, 1, 7],
    ),
    chain(block, avgPool(x, 3, 1), ['branch_pool', 192, 1, 1]),
  );
}

function blockD(block: Block, x: Tensor): Tensor {
  return join(
    chain(block, x, ['branch3x3_1', 192, 1, 1], ['branch3x3_2', 320, 3, 3, 2]),
    chain(
      block,
      x,
      ['branch7x7x3_1', 192, 1, 1],
      ['branch7x7x3_2', 192, 1, 7],
      ['branch7x7x3_3', 192, 7, 1],
      ['branch7x7x3_4', 192, 3, 3, 2],
    ),
    maxPool(x, 3, 2, 'VALID'),
  );
}

function blockE(block: Block, x: Tensor, pooled: Tensor): Tensor {
  const single = chain(block, x, ['branch1x1', 320, 1, 1]);
  const narrow = chain(block, x, ['branch3x3_1', 384, 1, 1]);
  const narrowEnds = [
    chain(block, narrow, ['branch3x3_2a', 384, 1, 3]),
    chain(block, narrow, ['branch3x3_2b', 384, 3, 1]),
  ];
  const double = chain(block, x, ['branch3x3dbl_1', 448, 1, 1], ['branch3x3dbl_2', 384, 3, 3]);
  const doubleEnds = [
    chain(block, double, ['branch3x3dbl_3a', 384, 1, 3]),
    chain(block, double, ['branch3x3dbl_3b', 384, 3, 1]),
  ];
  return join(single, ...narrowEnds, ...doubleEnds, chain(block, pooled, ['branch_pool', 192, 1, 1]));
}

const join = (...branches: Tensor[]) => concat(branches, 3);

const chain = (block: Block, x: Tensor, ...layers: Layer[]) =>
  layers.reduce((y, layer) => convolution(block, y, layer), x);

function convolution(
  { variables, path }: Block,
  x: Tensor,
  [name, filters, height, width, stride = 1]: Layer,
  padding: Padding = stride === 2 ? 'VALID' : 'SAME',
): Tensor {
  const kernel = parameter(variables, `${path}${name}/kernel`, [height, width, x.shape[3], filters]);
  const y = conv2d(x, kernel, stride, padding);
  return relu(biasAdd(y, parameter(variables, `${path}${name}/bias`, [filters])));
}

function parameter(variables: Variables, name: string, shape: readonly number[]): Tensor {
  variables.declare({ name, shape, dtype: 'float32', initialiser: zeros, trainable: false });
  return variables.read(name);
}
