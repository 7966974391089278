/**
 * L-BFGS (Nocedal & Wright 2006, algorithm 7.4) for smooth convex functions whose evaluation is dear: deterministic,
 * resumable.
 */

export interface Evaluation {
  value: number;
  gradient: Float64Array;
}

/** Everything that the next iteration depends on. */
export interface LbfgsState {
  x: Float64Array;
  iterations: number;
  evaluations: number;
  /** Latest steps and changes of the gradient, oldest first. */
  steps: Float32Array[];
  changes: Float32Array[];
}

export interface LbfgsSettings {
  evaluate(x: Float64Array): Promise<Evaluation>;
  /** An approximate inverse of the second derivative, positive definite; the identity when absent. */
  precondition?(gradient: Float64Array): Float64Array;
  /** Iterations over all, those before a resumption included. */
  iterations: number;
  /** Done when no entry of the gradient is larger. */
  tolerance: number;
  /** Called after each iteration; what it gets must not be changed. */
  onIteration?(state: LbfgsState, current: Evaluation): void | Promise<void>;
}

export interface Minimum {
  state: LbfgsState;
  value: number;
  /** Largest entry of the gradient. */
  gradient: number;
}

/** Pairs that are kept. */
export const HISTORY = 10;
/** Sufficient decrease (Armijo). */
const DECREASE = 1e-4;
const LINE_EVALUATIONS = 10;
/** Of the value, where it is a sum of numbers in float32: smaller differences tell nothing. */
const RESOLUTION = 1e-7;
/** The work ends where the value falls by no more than this part of it and the gradient does not fall either. */
const STANDSTILL = 1e-9;

export function lbfgsStart(x: Float64Array): LbfgsState {
  return { x, iterations: 0, evaluations: 0, steps: [], changes: [] };
}

/**
 * Goes on from `state` until the gradient is within the tolerance, the iterations are used up, or nothing improves any
 * more.
 */
export async function lbfgs(start: LbfgsState, settings: LbfgsSettings): Promise<Minimum> {
  const { evaluate, iterations, tolerance, onIteration } = settings;
  const state: LbfgsState = { ...start, steps: [...start.steps], changes: [...start.changes] };
  let current = await evaluate(state.x);
  state.evaluations++;
  while (state.iterations < iterations && largest(current.gradient) > tolerance) {
    const direction = descent(state, current.gradient, settings.precondition);
    const slope = dot64(direction, current.gradient);
    if (!(slope < 0)) break;
    const next = await search(state, current, direction, slope, evaluate);
    if (!next) break;
    const flat = current.value - next.evaluation.value <= STANDSTILL * Math.abs(current.value);
    const stuck = flat && largest(next.evaluation.gradient) >= largest(current.gradient);
    remember(state, next.x, subtract(next.evaluation.gradient, current.gradient));
    state.x = next.x;
    state.iterations++;
    current = next.evaluation;
    await onIteration?.(state, current);
    if (stuck) break;
  }
  return { state, value: current.value, gradient: largest(current.gradient) };
}

/** -H·gradient by the two loops over the pairs. */
function descent(
  { steps, changes }: LbfgsState,
  gradient: Float64Array,
  precondition = (g: Float64Array) => g,
): Float64Array {
  let q = gradient.slice();
  const factors = new Float64Array(steps.length);
  const products = steps.map((step, i) => dot32(step, changes[i]));
  for (let i = steps.length - 1; i >= 0; i--) {
    factors[i] = dot(steps[i], q) / products[i];
    addScaled(q, -factors[i], changes[i]);
  }
  q = precondition(q).slice();
  const newest = steps.length - 1;
  if (newest >= 0) scale(q, products[newest] / dot(changes[newest], precondition(new Float64Array(changes[newest]))));
  for (let i = 0; i < steps.length; i++) addScaled(q, factors[i] - dot(changes[i], q) / products[i], steps[i]);
  scale(q, -1);
  return q;
}

/**
 * Shortens the step by parabolas until the value falls enough; undefined where it does not. Where rounding hides
 * whether it falls, the slope at the end of the step decides (the approximate Wolfe condition of Hager & Zhang 2005).
 */
async function search(
  state: LbfgsState,
  { value }: Evaluation,
  direction: Float64Array,
  slope: number,
  evaluate: LbfgsSettings['evaluate'],
): Promise<{ x: Float64Array; evaluation: Evaluation } | undefined> {
  let length = 1;
  for (let attempt = 0; attempt < LINE_EVALUATIONS; attempt++) {
    const x = state.x.slice();
    for (let i = 0; i < x.length; i++) x[i] += length * direction[i];
    const evaluation = await evaluate(x);
    state.evaluations++;
    const falls = evaluation.value <= value + DECREASE * length * slope;
    const level = evaluation.value <= value + RESOLUTION * Math.abs(value);
    if (falls || (level && dot64(direction, evaluation.gradient) <= (2 * DECREASE - 1) * slope))
      return { x, evaluation };
    const parabola = (-slope * length ** 2) / (2 * (evaluation.value - value - slope * length));
    length = Number.isFinite(parabola) ? Math.min(Math.max(parabola, 0.1 * length), 0.5 * length) : 0.1 * length;
  }
  return undefined;
}

/** Keeps a pair if its curvature is positive. */
function remember(state: LbfgsState, x: Float64Array, change: Float64Array): void {
  const step = new Float32Array(subtract(x, state.x));
  const kept = new Float32Array(change);
  if (!(dot32(step, kept) > 0)) return;
  state.steps.push(step);
  state.changes.push(kept);
  if (state.steps.length > HISTORY) {
    state.steps.shift();
    state.changes.shift();
  }
}

// One function for each pair of types: what sees several is compiled to something several times slower.

function dot(a: Float32Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function dot32(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function dot64(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addScaled(target: Float64Array, factor: number, source: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * source[i];
}

function scale(target: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] *= factor;
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  const result = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) result[i] = a[i] - b[i];
  return result;
}

/** Of the magnitudes. */
export function largest(values: Float64Array): number {
  let result = 0;
  for (let i = 0; i < values.length; i++) result = Math.max(result, Math.abs(values[i]));
  return result;
}
