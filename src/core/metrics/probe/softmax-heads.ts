/** Several multinomial logistic regressions on the same inputs, trained side by side as one matrix product. */
import type { EagerExecutor } from '../../backend/eager.js';
import { bool, execute, type } from '../../backend/executor.js';
import { zeros } from '../../backend/initialise.js';
import { oneHot } from '../../backend/ops/search.js';
import { add, constant, fill, matMul, mul, reshape, scalar, scale, softmax, sub, sum } from '../../backend/ops.js';
import type { Tensor } from '../../backend/tensor.js';
import { allocate } from '../../backend/variables.js';

export interface Head {
  learningRate: number;
  /** λ in cross-entropy + λ/2·|W|²; the bias is not penalised. */
  penalty: number;
}

export interface HeadSettings {
  /** Adam, or gradient descent with a momentum of 0.9; default adam. */
  optimiser?: 'adam' | 'sgd';
  /** Decay of the moving average of the weights that is used in the end, as BigBiGAN's 0.9999; default 0, none. */
  average?: number;
}

export interface SoftmaxHeads {
  /** One step on a batch [n, width] with class numbers [n]; `decay` multiplies every learning rate. */
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
const MOMENTUM = 0.9;

const PARAMETERS = ['weight', 'bias'];

/** What a number of heads is trained on. */
export interface HeadSizes extends HeadSettings {
  width: number;
  classes: number;
  /** Rows of a batch. */
  batchSize: number;
}

/**
 * Most memory that training heads takes, in bytes: their variables and the intermediate results of a step, as measured,
 * in copies of all weights.
 */
export function headsBytes(heads: readonly Head[], { width, classes, batchSize, average = 0 }: HeadSizes): number {
  const columns = heads.length * classes;
  const penalised = heads.some(({ penalty }) => penalty > 0);
  const copies = 8 + (penalised ? 3 : 0) + (average > 0 ? 5 : 0);
  return 4 * (copies * width * columns + batchSize * (width + SCORE_COPIES * columns));
}

/** Scores, chances, targets and their differences. */
const SCORE_COPIES = 7;

/**
 * Weights start at 0, as BigBiGAN's appendix A does. What is kept are the weights divided by their head's learning
 * rate: the optimiser's step is then the same for all heads, and one kernel of TensorFlow updates them in place.
 */
export function createSoftmaxHeads(
  engine: EagerExecutor,
  heads: readonly Head[],
  width: number,
  classes: number,
  { optimiser = 'adam', average = 0 }: HeadSettings = {},
): SoftmaxHeads {
  const columns = heads.length * classes;
  const spread = (pick: (head: Head) => number) =>
    constant(
      Float32Array.from({ length: columns }, (_, i) => pick(heads[Math.floor(i / classes)])),
      [columns],
    );
  const rates = spread((head) => head.learningRate);
  const penalties = spread((head) => head.penalty);
  const penalised = heads.some(({ penalty }) => penalty > 0);
  const slots = [...(optimiser === 'adam' ? ['m', 'v'] : ['m']), ...(average > 0 ? ['average'] : [])];
  const specs = PARAMETERS.flatMap((parameter) =>
    [parameter, ...slots.map((slot) => `${parameter}/${slot}`)].map((name) => ({
      name,
      shape: parameter === 'weight' ? [width, columns] : [columns],
      dtype: 'float32' as const,
      initialiser: zeros,
      trainable: false,
    })),
  );
  const variables = allocate(engine, specs, ({ shape }) => fill(0, shape));
  const value = (name: string) => mul(variables.read(name), rates);
  const final = (parameter: string) => value(average > 0 ? `${parameter}/average` : parameter);
  let steps = 0;

  const update = (parameter: string, gradient: Tensor, decay: number) => {
    const handles = [
      parameter,
      ...slots.filter((slot) => slot !== 'average').map((slot) => `${parameter}/${slot}`),
    ].map(variables.handle);
    if (optimiser === 'adam') {
      const attributes = { T: type('float32'), use_locking: bool(false), use_nesterov: bool(false) };
      const scalars = [BETA1 ** steps, BETA2 ** steps, decay, BETA1, BETA2, EPSILON].map((number) => scalar(number));
      execute('ResourceApplyAdam', attributes, [...handles, ...scalars, gradient], []);
    } else {
      const attributes = { T: type('float32'), use_locking: bool(false), use_nesterov: bool(false) };
      execute('ResourceApplyMomentum', attributes, [...handles, scalar(decay), gradient, scalar(MOMENTUM)], []);
    }
    if (average === 0) return;
    // Short at first, so that it leaves the zeros of the beginning behind.
    const rest = 1 - Math.min(average, (1 + steps) / (10 + steps));
    const old = variables.read(`${parameter}/average`);
    variables.assign(`${parameter}/average`, add(old, scale(sub(variables.read(parameter), old), rest)));
  };

  return {
    step(batch, labels, decay) {
      steps++;
      const n = labels.length;
      engine.scope(() => {
        const x = constant(batch, [n, width]);
        const weight = value('weight');
        const scores = add(matMul(x, weight), value('bias'));
        const chances = reshape(softmax(reshape(scores, [n * heads.length, classes])), [n, heads.length, classes]);
        const targets = reshape(oneHot(constant(labels, [n]), classes), [n, 1, classes]);
        // The gradient of the mean cross-entropy with respect to the scores.
        const error = reshape(scale(sub(chances, targets), 1 / n), [n, columns]);
        const gradient = matMul(x, error, true);
        update('weight', penalised ? add(gradient, mul(weight, penalties)) : gradient, decay);
        update('bias', sum(error, [0]), decay);
      });
    },
    scores: (rows) =>
      engine.scope(() => {
        const x = constant(rows, [rows.length / width, width]);
        return engine.read(add(matMul(x, final('weight')), final('bias'))) as Float32Array;
      }),
    head(index) {
      const cut = (parameter: string) => {
        const all = engine.scope(() => engine.read(final(parameter)) as Float32Array);
        return Float32Array.from(
          { length: all.length / heads.length },
          (_, i) => all[Math.floor(i / classes) * columns + index * classes + (i % classes)],
        );
      };
      return { weight: cut('weight'), bias: cut('bias') };
    },
    dispose() {
      variables.dispose();
      engine.dispose(rates, penalties);
    },
  };
}
