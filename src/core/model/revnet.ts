/**
 * RevNet trunk of E (Gomez et al. 2017, in the form of Kolesnikov et al. 2019, arXiv 1901.09005, which the paper
 * names). With `channels` 256, 512, 1024, multipliers 1,2,4,8, units 3,4,6,3, a bottleneck of 4 and a stem of size 7,
 * stride 2 and a pool it is RevNet-50 ×1, ×2, ×4.
 */
import { avgPool2, pad, relu } from '../backend/ops.js';
import { coupled, type Residual, reversible } from '../backend/reversible.js';
import type { Tensor } from '../backend/tensor.js';
import { batchNorm } from '../layers/batch-norm.js';
import { convolution } from '../layers/convolution.js';
import { type Scope, within } from '../layers/scope.js';
import { stem } from './resnet.js';

export interface RevnetConfig {
  /** Width of the stem. */
  channels: number;
  /** Width of each stage in units of the stem's, never falling. */
  multipliers: number[];
  /** Units a stage; every stage but the first halves the size. */
  units: number[];
  /** How many times narrower than half of the channels a unit's inner layers are. */
  bottleneck: number;
  /** A convolution, and 3×3 max pooling with stride 2. */
  stem: { size: number; stride: number; pool: boolean };
  /** False: the backward pass keeps what all units compute, instead of computing it again. */
  reversible?: boolean;
}

/**
 * The last map [n,h,w,c], normalised and rectified, of images [n,h,w,c] in [−1, 1]. The published code has the last
 * ReLU as an option, which is off by default and on in its configuration for rotations; that it is on here is our
 * choice. The stem pads as SAME does; the published code pads both sides alike, which shifts the map by a pixel.
 */
export function revnetTrunk(scope: Scope, image: Tensor, config: RevnetConfig): Tensor {
  const { channels, multipliers } = config;
  let x = stem(scope, image, config);
  multipliers.forEach((multiplier, stage) => {
    x = widened(stage > 0 ? avgPool2(x) : x, channels * multiplier);
    x = revnetStage(within(scope, `stage${stage}`), x, config.units[stage], config);
  });
  return relu(batchNorm(within(scope, 'batch_norm'), x));
}

/** A run of units on x [n,h,w,c]. */
export function revnetStage(
  scope: Scope,
  x: Tensor,
  units: number,
  { bottleneck: factor, reversible: again = true }: Pick<RevnetConfig, 'bottleneck' | 'reversible'>,
): Tensor {
  const { trains, statistics } = scope.pass;
  const inner = x.shape[3] / 2 / factor;
  const residuals = Array.from({ length: units }, (_, i) => residual(within(scope, `unit${i}`), inner));
  // Passes that take statistics assign them, which must happen once; others have no backward pass.
  return again && trains && statistics === 'batch' ? reversible(x, residuals) : coupled(x, residuals);
}

function residual(scope: Scope, inner: number): Residual {
  const { pass, path } = scope;
  return (x) => {
    const y = bottleneck(scope, x, inner);
    const names = [...pass.parameters.keys()].filter((name) => name.startsWith(`${path}/`));
    return {
      y,
      parameters: names.map((name) => pass.parameters.get(name)!),
      again(other, parameters) {
        const replaced = new Map(names.map((name, i) => [name, parameters[i]]));
        return bottleneck({ path, pass: { ...pass, parameters: replaced } }, other, inner);
      },
    };
  };
}

/** Pre-activation bottleneck on x [n,h,w,c], without a skip of its own. */
function bottleneck(scope: Scope, x: Tensor, inner: number): Tensor {
  const layers = [
    { filters: inner, size: 1 },
    { filters: inner, size: 3 },
    { filters: x.shape[3], size: 1 },
  ];
  return layers.reduce((y, { filters, size }, i) => {
    const active = relu(batchNorm(within(scope, `batch_norm${i}`), y));
    return convolution(within(scope, `conv${i}`), active, filters, { size, bias: false });
  }, x);
}

/** Zeros on either side of the channels. */
function widened(x: Tensor, channels: number): Tensor {
  const side = (channels - x.shape[3]) / 2;
  return side === 0 ? x : pad(x, side, side, 3);
}
