/** The linear probe at its optimum: L-BFGS on all training rows, from one penalty to the next. */
import type { EagerExecutor } from '../../backend/eager.js';
import { add, constant, matMul } from '../../backend/ops.js';
import { type Accuracy, addScores, noAccuracy } from './accuracy.js';
import { forEachRow, type LabelledRows, testClassifier, unstandardised } from './classifier.js';
import { createCrossEntropy } from './cross-entropy.js';
import { curvature, WIDEST } from './curvature.js';
import { HISTORY, type LbfgsState, largest, lbfgs, lbfgsStart, type Minimum } from './lbfgs.js';
import { bestOf, type ChosenClassifier, probeData } from './probe-data.js';
import { chunkRows, KEPT, rowTensors } from './row-tensors.js';

/** A stage that is done. */
export interface SolvedHead {
  penalty: number;
  /** Mean cross-entropy + penalty/2·|W|² over the rows it was trained on. */
  objective: number;
  /** Largest entry of the gradient there. */
  gradient: number;
  iterations: number;
  evaluations: number;
}

/** Where the work stands, for going on later. */
export interface LbfgsProbeState {
  /** Stages done, with their accuracy on the held-out rows. */
  solved: Array<SolvedHead & { heldout: Accuracy }>;
  /** Of the current stage. */
  lbfgs: LbfgsState;
}

export interface LbfgsProbeSettings {
  train: LabelledRows;
  test: LabelledRows;
  /** Tried from the largest to the smallest, each from the weights of the one before. */
  penalties: readonly number[];
  /** Random training rows that choose the penalty; 0 when there is one. */
  holdout: number;
  seed: number;
  /** Most iterations for one penalty. */
  iterations: number;
  /** A penalty is done when no entry of the gradient is larger. */
  tolerance: number;
  /** Goes on from here: of a call with the same settings. */
  resume?: LbfgsProbeState;
  /** Elements of features that may stay in memory; see `rowTensors`. */
  memory?: number;
  onIteration?(state: LbfgsProbeState, objective: number, gradient: number): void | Promise<void>;
  /** Rows done in the current pass. */
  onRows?(done: number): void;
}

export interface LbfgsProbeResult extends ChosenClassifier<SolvedHead> {
  /** The chosen penalty on all training rows. */
  final: SolvedHead;
}

/** For each weight: pairs in single precision, and what an iteration and saving its state compute. */
const WEIGHT_BYTES = 80 + 16 * HISTORY;
/** For each entry of the curvature [width, width], while it is computed; later its inverse is all that is left. */
const CURVATURE_BYTES = 84;

/** Most memory that a solution takes, in bytes, beside the program itself, by what was measured. */
export function lbfgsBytes({ rows, width, classes }: { rows: number; width: number; classes: number }): number {
  const features = rows * width <= KEPT ? rows * width : 0;
  const chunk = chunkRows(width, classes) * (4 * width + 4 * classes);
  const entries = width <= WIDEST ? width ** 2 : 0;
  return (
    4 * (features + chunk) + Math.max(CURVATURE_BYTES * entries, 4 * entries + WEIGHT_BYTES * (width + 1) * classes)
  );
}

export async function lbfgsProbe(engine: EagerExecutor, settings: LbfgsProbeSettings): Promise<LbfgsProbeResult> {
  const { train, test, holdout, seed, resume, onIteration, onRows, memory } = settings;
  const { classes, columns, scaling, inputs, heldout } = await probeData(train, holdout, seed);
  const rows = rowTensors(engine, train, { scaling, classes: classes.length, memory });
  const bound = await curvature(engine, rows, classes.length);
  const size = (train.width + 1) * classes.length;
  const solved = [...(resume?.solved ?? [])];
  let state = resume?.lbfgs ?? lbfgsStart(new Float64Array(size));

  const minimise = async (penalty: number, counts: (row: number) => boolean): Promise<Minimum> => {
    const loss = createCrossEntropy(engine, { rows, columns, classes: classes.length, counts, onRows });
    const preconditioner = bound?.(penalty);
    const minimum = await lbfgs(state, {
      evaluate: (x) => loss(x, penalty),
      precondition: preconditioner?.apply,
      iterations: settings.iterations,
      tolerance: settings.tolerance,
      onIteration: (current, { value, gradient }) =>
        onIteration?.({ solved, lbfgs: current }, value, largest(gradient)),
    });
    preconditioner?.dispose();
    return minimum;
  };
  const describe = (penalty: number, { state, value, gradient }: Minimum): SolvedHead => {
    return { penalty, objective: value, gradient, iterations: state.iterations, evaluations: state.evaluations };
  };

  const penalties = [...settings.penalties].sort((a, b) => b - a);
  if (holdout > 0) {
    for (const penalty of penalties.slice(solved.length)) {
      const minimum = await minimise(penalty, (row) => !heldout(row));
      const accuracy = await heldoutAccuracy(minimum.state.x);
      solved.push({ ...describe(penalty, minimum), heldout: accuracy });
      state = lbfgsStart(minimum.state.x);
    }
  }
  const best = bestOf(solved.map((head) => head.heldout));
  const penalty = penalties[best];
  const minimum = await minimise(penalty, () => true);
  rows.dispose();
  const { x } = minimum.state;
  const split = train.width * classes.length;
  const classifier = {
    ...unstandardised(Float32Array.from(x.subarray(0, split)), x.subarray(split), scaling),
    classes,
  };
  const { accuracy, confusion } = await testClassifier(engine, classifier, test);
  const final = describe(penalty, minimum);
  return { heads: holdout > 0 ? solved : [final], best, test: accuracy, confusion, classifier, final };

  async function heldoutAccuracy(x: Float64Array): Promise<Accuracy> {
    const split = train.width * classes.length;
    const scored = noAccuracy();
    const weight = constant(Float32Array.from(x.subarray(0, split)), [train.width, classes.length]);
    const bias = constant(Float32Array.from(x.subarray(split)), [classes.length]);
    await forEachRow(inputs, classes.length, heldout, (data, rows) => {
      const scores = engine.scope(
        () => engine.read(add(matMul(constant(data, [rows.length, train.width]), weight), bias)) as Float32Array,
      );
      addScores(
        [scored],
        scores,
        rows.map((row) => columns[row]),
        classes.length,
      );
    });
    engine.dispose(weight, bias);
    return scored;
  }
}
