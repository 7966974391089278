import t from 'tap';
import { type LbfgsState, lbfgs, lbfgsStart } from '../../../../src/core/metrics/probe/lbfgs.js';

/** Σ i·(x_i - i)² + (x_0 - x_1)⁴ over i = 1…6, badly scaled and not quadratic. */
async function evaluate(x: Float64Array) {
  const gradient = x.map((value, i) => 2 * (i + 1) ** 3 * (value - i));
  let value = x.reduce((sum, entry, i) => sum + (i + 1) ** 3 * (entry - i) ** 2, 0);
  const difference = x[0] - x[1];
  value += difference ** 4;
  gradient[0] += 4 * difference ** 3;
  gradient[1] -= 4 * difference ** 3;
  return { value, gradient };
}

const settings = { evaluate, iterations: 100, tolerance: 1e-9 };

t.test('the gradient vanishes at what is found, in few iterations', async (t) => {
  const { state, gradient } = await lbfgs(lbfgsStart(new Float64Array(6)), settings);
  t.ok(gradient < 1e-5, `${gradient}`);
  t.ok(state.iterations < 40);
  for (const i of [2, 3, 4, 5]) t.ok(Math.abs(state.x[i] - i) < 1e-5);
});

t.test('a good preconditioner saves iterations and changes nothing else', async (t) => {
  const plain = await lbfgs(lbfgsStart(new Float64Array(6)), settings);
  const precondition = (gradient: Float64Array) => gradient.map((value, i) => value / (2 * (i + 1) ** 3));
  const helped = await lbfgs(lbfgsStart(new Float64Array(6)), { ...settings, precondition });
  t.ok(helped.state.iterations < plain.state.iterations);
  t.ok(Math.abs(helped.value - plain.value) < 1e-9);
});

t.test('going on from any state ends where the whole way ends', async (t) => {
  const states: LbfgsState[] = [];
  const whole = await lbfgs(lbfgsStart(new Float64Array(6)), {
    ...settings,
    onIteration: (state) =>
      void states.push({ ...state, x: state.x.slice(), steps: [...state.steps], changes: [...state.changes] }),
  });
  t.ok(states.length > 5);
  for (const state of states.slice(2, 5)) t.same((await lbfgs(state, settings)).state.x, whole.state.x);
});

t.test('iterations are counted over all', async (t) => {
  const first = await lbfgs(lbfgsStart(new Float64Array(6)), { ...settings, iterations: 3 });
  t.equal(first.state.iterations, 3);
  t.equal((await lbfgs(first.state, { ...settings, iterations: 4 })).state.iterations, 4);
});
