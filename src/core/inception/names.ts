/**
 * What the network's tensors are called: here, in PyTorch's port, and in the TensorFlow graph that its authors
 * released.
 */

/** Parts of a convolution with its batch norm, of which `kernel` is [height, width, in, out] and the others [out]. */
export const PARTS = ['kernel', 'scale', 'offset', 'mean', 'variance'] as const;

export interface Naming {
  name: string;
  /** Of a tensor here, such as `Mixed_5b/branch1x1/kernel` or `fc/bias`. */
  nameOf(ours: string): string;
  /** Whether kernels are [out, in, height, width], and the classifier's [out, in]. */
  outputsFirst: boolean;
}

export const OURS: Naming = { name: 'bigbigan', nameOf: (ours) => ours, outputsFirst: false };

export const PYTORCH: Naming = {
  name: 'pytorch',
  outputsFirst: true,
  nameOf(ours) {
    const { module, part } = split(ours);
    const path = module.replace('/', '.');
    if (path === 'fc') return `fc.${part === 'kernel' ? 'weight' : 'bias'}`;
    const names = {
      kernel: 'conv.weight',
      scale: 'bn.weight',
      offset: 'bn.bias',
      mean: 'bn.running_mean',
      variance: 'bn.running_var',
    };
    return `${path}.${names[part as keyof typeof names]}`;
  },
};

export const TENSORFLOW: Naming = {
  name: 'tensorflow',
  outputsFirst: false,
  nameOf(ours) {
    const { module, part } = split(ours);
    if (module === 'fc') return part === 'kernel' ? 'softmax/weights' : 'softmax/biases';
    const scope = tensorflowScope(module);
    if (part === 'kernel') return `${scope}/conv2d_params`;
    const names = { scale: 'gamma', offset: 'beta', mean: 'moving_mean', variance: 'moving_variance' };
    return `${scope}/batchnorm/${names[part as keyof typeof names]}`;
  },
};

export const NAMINGS = [OURS, PYTORCH, TENSORFLOW];

function split(ours: string): { module: string; part: string } {
  const slash = ours.lastIndexOf('/');
  return { module: ours.slice(0, slash), part: ours.slice(slash + 1) };
}

/** The stem's convolutions, and the blocks, are counted from the image on. */
const STEM = ['Conv2d_1a_3x3', 'Conv2d_2a_3x3', 'Conv2d_2b_3x3', 'Conv2d_3b_1x1', 'Conv2d_4a_3x3'];
const BLOCKS = ['5b', '5c', '5d', '6a', '6b', '6c', '6d', '6e', '7a', '7b', '7c'];

/**
 * The branches with several convolutions; those with one are `branch1x1` and `branch3x3` (`conv`), and `branch_pool`.
 */
const TOWERS: Record<string, string> = {
  branch5x5: 'tower',
  branch7x7: 'tower',
  branch3x3: 'tower',
  branch7x7dbl: 'tower_1',
  branch3x3dbl: 'tower_1',
  branch7x7x3: 'tower_1',
};

/** `Mixed_6b/branch7x7_2` → `mixed_4/tower/conv_1` */
function tensorflowScope(module: string): string {
  if (STEM.includes(module)) return counted('conv', STEM.indexOf(module));
  const [, name, branch] = /^Mixed_(..)\/(\w+)$/.exec(module)!;
  const block = counted('mixed', BLOCKS.indexOf(name));
  if (branch === 'branch_pool') return `${block}/tower_2/conv`;
  const [, stem, number, letter] = /^(branch\w+?)(?:_(\d)([ab])?)?$/.exec(branch)!;
  if (number === undefined) return `${block}/conv`;
  // The first tower of 6a is the double one, as its other branch is a single convolution.
  const tower = `${block}/${name === '6a' ? 'tower' : TOWERS[stem]}`;
  if (letter !== undefined) return `${tower}/mixed/${counted('conv', letter === 'a' ? 0 : 1)}`;
  return `${tower}/${counted('conv', Number(number) - 1)}`;
}

const counted = (name: string, index: number) => (index === 0 ? name : `${name}_${index}`);
