/** Runs of reversible units: by hand, against the plain backward pass, and what they keep and wait for. */
import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { gradients, watch } from '../../../src/core/backend/gradient.js';
import { toBfloat16 } from '../../../src/core/backend/graph/bfloat16.js';
import { type GraphNode, needed } from '../../../src/core/backend/graph/graph.js';
import { recordFunctions } from '../../../src/core/backend/graph/record.js';
import type { GraphFunction } from '../../../src/core/backend/graph-function.js';
import { createMachine } from '../../../src/core/backend/machine.js';
import { constant, conv2d, mul, relu, sum } from '../../../src/core/backend/ops.js';
import { coupled, type Residual, reversible } from '../../../src/core/backend/reversible.js';
import { size, type Tensor } from '../../../src/core/backend/tensor.js';
import { farthest } from '../model/differentiated.js';

const engine = await startEngine();
const array = (shape: readonly number[], number: number) =>
  Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(0.7 * i * i + 0.3 * i + number));

/** A residual function of one parameter. */
const residual = (f: (x: Tensor, w: Tensor) => Tensor, w: Tensor): Residual => {
  return (x) => ({ y: f(x, w), parameters: [w], again: (other, [v]) => f(other, v) });
};
const convolved = (x: Tensor, w: Tensor) => conv2d(relu(x), w);

for (const run of [coupled, reversible]) {
  t.test(`by hand: ${run.name}`, async (t) => {
    // [1, 2] with F = 3x gives [2, 1 + 3·2]; that with F = 5x gives [7, 2 + 5·7].
    // The loss a + 10b is (x1 + 3·x2) + 10·(x2 + 5·(x1 + 3·x2)).
    engine.scope(() => {
      const one = (...values: number[]) => constant(Float32Array.from(values), [1, 1, 1, values.length]);
      const [x, v, w] = [one(1, 2), one(3), one(5)].map(watch);
      const y = run(x, [residual(mul, v), residual(mul, w)]);
      t.same([...engine.read(y)], [7, 37]);
      const found = gradients(sum(mul(y, one(1, 10))), [x, v, w]);
      t.same(
        found.map((gradient) => [...engine.read(gradient)]),
        [[51, 163], [102], [70]],
      );
      // The same nodes serve another loss.
      t.same([...engine.read(gradients(sum(mul(y, one(1, 0))), [v])[0])], [2]);
    });
  });
}

const shape = [3, 6, 6, 8];
const UNITS = 6;
const spec = (s: number[]) => ({ shape: s, dtype: 'float32' as const });

/** Six units with five kernels: the first and the last share one. */
function stage(run: typeof coupled): GraphFunction {
  const names = Array.from({ length: UNITS - 1 }, (_, i) => `w${i}`);
  return {
    inputs: { x: spec(shape), ...Object.fromEntries(names.map((name) => [name, spec([3, 3, 4, 4])])) },
    run({ x, ...kernels }) {
      const input = watch(x);
      const weights = names.map((name) => watch(kernels[name]));
      const y = run(
        input,
        [...weights, weights[0]].map((w) => residual(convolved, w)),
      );
      const loss = sum(mul(y, constant(array(shape, 9), shape)));
      const found = gradients(loss, [input, ...weights]);
      return { y, loss, ...Object.fromEntries(['x', ...names].map((name, i) => [`d${name}`, found[i]])) };
    },
  };
}

const values = Object.fromEntries(
  Object.entries(stage(coupled).inputs).map(([name, s], i) => [
    name,
    array(s.shape, i).map((value) => value * (i ? 0.3 : 1)),
  ]),
);

t.test('reversible gradients are the plain ones', async (t) => {
  const call = (execution: 'eager' | 'traced', run: typeof coupled) => {
    const settings = {
      execution,
      precision: 'float32',
      specs: [],
      values: new Map(),
      functions: { f: stage(run) },
    } as const;
    const machine = createMachine(engine, settings);
    const result = machine.call('f', values);
    machine.dispose();
    return result;
  };
  const reference = call('eager', coupled);
  for (const execution of ['eager', 'traced'] as const) {
    for (const run of [coupled, reversible]) {
      const { name, by } = farthest(call(execution, run), reference as Record<string, Float32Array>);
      t.ok(by < 1e-5, `${execution}, ${run.name}: ${name} differs by ${by}`);
    }
  }
});

/** The nodes in the order in which they were recorded, and the first of the backward pass. */
function recordedStage(run: typeof coupled) {
  const { nodes } = recordFunctions([], { f: stage(run) });
  const number = (node: GraphNode) => Number(/^f\/\w+_(\d+)$/.exec(node.name)?.[1] ?? -1);
  const loss = Math.max(...nodes.filter(({ op }) => op === 'Sum').map(number));
  return { nodes, back: nodes.filter((node) => number(node) > loss).sort((a, b) => number(a) - number(b)) };
}

t.test('of the forward pass only the ends are kept', async (t) => {
  const kept = (run: typeof coupled) => {
    const { back } = recordedStage(run);
    const sources = new Set(back.flatMap(({ inputs }) => inputs.map(({ node }) => node)));
    for (const node of back) sources.delete(node);
    return [...sources]
      .map(({ op }) => op)
      .filter((op) => op !== 'Const')
      .sort();
  };
  t.same(kept(reversible), ['ConcatV2', ...Array.from({ length: UNITS }, () => 'Placeholder')]);
  t.equal(kept(coupled).filter((op) => op === 'Relu').length, UNITS, 'the plain way keeps something of each unit');
});

for (const rewrite of [(nodes: GraphNode[]) => nodes, toBfloat16]) {
  t.test(
    `a unit is computed again when the one after it is done${rewrite === toBfloat16 ? ', in mixed precision too' : ''}`,
    async (t) => {
      const { nodes, back } = recordedStage(reversible);
      const names = back.map(({ name }) => name);
      const rewritten = rewrite(nodes);
      const all = new Map(rewritten.map((node) => [node.name, node]));
      const ordered = names.map((name) => all.get(name)!);
      const again = ordered.filter(({ op }) => op === 'Relu');
      const weightGradients = ordered.filter(({ op }) => op === 'Conv2DBackpropFilter');
      t.same([again.length, weightGradients.length], [UNITS, UNITS]);
      again.forEach((node, i) => {
        const before = new Set(needed([node]));
        t.same(
          weightGradients.map((gradient) => before.has(gradient)),
          weightGradients.map((_, j) => j < i),
          `unit ${UNITS - 1 - i}`,
        );
      });
      // The last one waits for the gradient of the output, which here is a product.
      const fed = needed([again[0]]).filter((node) => ordered.includes(node));
      t.ok(fed.some(({ op }) => op === 'Mul'));
    },
  );
}

t.test('run eagerly, units free what they compute on the way', async (t) => {
  const before = engine.alive();
  const [forward, all] = engine.scope(() => {
    const inputs = Object.entries(stage(reversible).inputs).map(([name, s]) =>
      watch(constant(values[name].slice(), s.shape)),
    );
    const [x, ...weights] = inputs;
    const start = engine.alive();
    const y = reversible(
      x,
      weights.map((w) => residual(convolved, w)),
    );
    const made = engine.alive() - start;
    gradients(sum(mul(y, y)), inputs);
    return [made, engine.alive() - start];
  });
  t.equal(engine.alive(), before);
  const units = UNITS - 1;
  t.comment(`${forward} tensors after the forward pass, ${all} after both`);
  t.ok(forward <= 4 * units + 10);
  t.ok(all <= 9 * units + 30);
});
