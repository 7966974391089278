/**
 * Reversible residual units (Gomez et al. 2017). The channels are halves x1 and x2; a unit gives y1 = x1 + F(x2) and
 * y2 = x2, in the order [y2, y1], so that the next one changes the other half. Its input is known from its output:
 * x2 = y2, x1 = y1 − F(x2). A run of units therefore keeps nothing but its ends for the backward pass, which computes
 * the rest once more, unit by unit from the last.
 */
import { scoped } from './executor.js';
import { differentiable, pullback, tracked, untracked, watch } from './gradient.js';
import { add, sub } from './ops/arithmetic.js';
import { after, inFloat32 } from './ops/identity.js';
import { concat, splitSizes } from './ops/shape.js';
import type { Tensor } from './tensor.js';

/** F of a unit, for x [n,h,w,c] with a result of the same shape. */
export type Residual = (x: Tensor) => Residue;

export interface Residue {
  /** F(x). */
  y: Tensor;
  /** What F depends on besides x. */
  parameters: readonly Tensor[];
  /** F of another x, with other tensors instead of the parameters; it must change no variables. */
  again(x: Tensor, parameters: readonly Tensor[]): Tensor;
}

/** The units one after another on x [n,h,w,2c], differentiated as any other operations are. */
export function coupled(x: Tensor, residuals: readonly Residual[]): Tensor {
  let [a, b] = halves(x);
  for (const residual of residuals) [a, b] = [b, add(a, inFloat32(residual(inFloat32(b)).y))];
  return concat([a, b], 3);
}

/**
 * The same values and, up to rounding, the same gradients, in memory that does not grow with the number of units.
 * Mixed precision keeps the halves and their gradients in float32: in bfloat16 every unit's y1 − F(x2) would lose
 * bits of x1. Run eagerly, the backward pass still holds two halves for every unit.
 */
export function reversible(x: Tensor, residuals: readonly Residual[]): Tensor {
  const units: Residue[] = [];
  const remember = (residual: Residual) => (half: Tensor) => {
    const unit = scoped(() => residual(half));
    units.push(unit);
    return unit;
  };
  const y = untracked(() => coupled(x, residuals.map(remember)));
  const inputs = [x, ...units.flatMap(({ parameters }) => parameters)];
  return differentiable(y, inputs, (dy) => {
    let all: Tensor[] | undefined;
    return inputs.map((_, i) => () => (all ??= reverse(x, y, dy, units))[i]);
  });
}

interface State {
  /** The halves, in the order of the concatenation, and their gradients. */
  halves: readonly [Tensor, Tensor];
  gradients: readonly [Tensor, Tensor];
  /** What the next unit to be undone waits for: until then this one's memory is not free. */
  done: readonly Tensor[];
}

/** Gradients with respect to the run's input and all parameters, in the order of the units. */
function reverse(x: Tensor, y: Tensor, dy: Tensor, units: readonly Residue[]): Tensor[] {
  let state: State = { halves: halves(after(y, [dy])), gradients: halves(dy), done: [] };
  let parameterGradients: Tensor[] = [];
  units.toReversed().forEach((unit, i) => {
    // Channels that are 0 would come back as rounding noise, of which a ReLU lets half of the gradients through. They
    // occur in the run's input, which has the padding of a wider stage, so that one is kept.
    if (i === units.length - 1) state = { ...state, halves: [halves(after(x, state.done))[1], state.halves[1]] };
    const step = scoped(() => undo(unit, state));
    state = step.before;
    parameterGradients = [...step.parameterGradients, ...parameterGradients];
  });
  return [concat(state.gradients, 3), ...parameterGradients];
}

function undo({ again, parameters }: Residue, { halves: [x2, y1], gradients: [dy2, dy1], done }: State) {
  const leaves = [after(x2, done), ...parameters].map(watch);
  const [input, ...weights] = leaves;
  const f = tracked(() => inFloat32(again(inFloat32(input), weights)));
  const [dx, ...parameterGradients] = pullback(f, dy1, leaves);
  const dx2 = add(dy2, dx);
  const before: State = { halves: [sub(y1, f), x2], gradients: [dy1, dx2], done: [dx2, ...parameterGradients] };
  return { before, parameterGradients };
}

function halves(x: Tensor): [Tensor, Tensor] {
  const half = x.shape[3] / 2;
  const [a, b] = splitSizes(x, [half, half], 3);
  return [a, b];
}
