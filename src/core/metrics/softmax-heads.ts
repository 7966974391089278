/** Several multinomial logistic regressions on the same inputs, trained side by side as one matrix product. */
import type { EagerExecutor } from '../backend/eager.js';
import { add, addScalar, constant, div, fill, matMul, mul, reshape, scale, softmax, sqrt, sub, sum } from '../backend/ops.js';
import { oneHot } from '../backend/ops/search.js';
import type { Tensor } from '../backend/tensor.js';

export interface Head {
  learningRate: number;
  /** λ in cross-entropy + λ/2·|W|²; the bias is not penalised. */
  penalty: number;
}

export interface SoftmaxHeads {
  /** One Adam step on a batch [n, width] with class numbers [n]; `decay` multiplies every learning rate. */
  step(batch: Float32Array, labels: Int32Array, decay: number): void;
  /** Scores [n, heads, classes] of rows [n, width]. */
  scores(rows: Float32Array): Float32Array;
  /** Weight [width, classes] and bias [classes] of one head. */
  head(index: number): { weight: Float32Array; bias: Float32Array };
  dispose(): void;
}

/** Adam (Kingma & Ba 2015) with the paper's constants. */
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

interface Parameter {
  value: Tensor;
  first: Tensor;
  second: Tensor;
}

/** Weights start at 0, as BigBiGAN's appendix A does. */
export function createSoftmaxHeads(
  engine: EagerExecutor,
  heads: readonly Head[],
  width: number,
  classes: number,
): SoftmaxHeads {
  const columns = heads.length * classes;
  const spread = (pick: (head: Head) => number) =>
    constant(Float32Array.from({ length: columns }, (_, i) => pick(heads[Math.floor(i / classes)])), [columns]);
  const rates = spread((head) => head.learningRate);
  const penalties = spread((head) => head.penalty);
  const zeros = (shape: number[]): Parameter => ({ value: fill(0, shape), first: fill(0, shape), second: fill(0, shape) });
  let weight = zeros([width, columns]);
  let bias = zeros([columns]);
  let steps = 0;

  const logits = (x: Tensor) => add(matMul(x, weight.value), bias.value);

  return {
    step(batch, labels, decay) {
      steps++;
      const n = labels.length;
      const rate = (decay * Math.sqrt(1 - BETA2 ** steps)) / (1 - BETA1 ** steps);
      const next = engine.scope(() => {
        const x = constant(batch, [n, width]);
        const chances = reshape(softmax(reshape(logits(x), [n * heads.length, classes])), [n, heads.length, classes]);
        const targets = reshape(oneHot(constant(labels, [n]), classes), [n, 1, classes]);
        // The gradient of the mean cross-entropy with respect to the scores.
        const error = reshape(scale(sub(chances, targets), 1 / n), [n, columns]);
        const weightGradient = add(matMul(x, error, true), mul(weight.value, penalties));
        const stepSizes = scale(rates, rate);
        return { weight: adam(weight, weightGradient, stepSizes), bias: adam(bias, sum(error, [0]), stepSizes) };
      });
      engine.dispose(...Object.values(weight), ...Object.values(bias));
      ({ weight, bias } = next);
    },
    scores: (rows) =>
      engine.scope(() => engine.read(logits(constant(rows, [rows.length / width, width]))) as Float32Array),
    head(index) {
      const cut = (tensor: Tensor) => {
        const all = engine.read(tensor) as Float32Array;
        return Float32Array.from(
          { length: all.length / heads.length },
          (_, i) => all[Math.floor(i / classes) * columns + index * classes + (i % classes)],
        );
      };
      return { weight: cut(weight.value), bias: cut(bias.value) };
    },
    dispose: () => engine.dispose(rates, penalties, ...Object.values(weight), ...Object.values(bias)),
  };
}

/** The step of size α·m/(√v + ε), α already corrected for the zero start of m and v. */
function adam({ value, first, second }: Parameter, gradient: Tensor, stepSizes: Tensor): Parameter {
  const m = add(scale(first, BETA1), scale(gradient, 1 - BETA1));
  const v = add(scale(second, BETA2), scale(mul(gradient, gradient), 1 - BETA2));
  return { value: sub(value, div(mul(m, stepSizes), addScalar(sqrt(v), EPSILON))), first: m, second: v };
}
