/** The RevNet trunk against PyTorch's numbers, the published sizes, and itself differentiated in the plain way. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { recordFunctions } from '../../../src/core/backend/graph/record.js';
import type { GraphFunction } from '../../../src/core/backend/graph-function.js';
import { initialValue } from '../../../src/core/backend/initialise.js';
import { gradients, mul, sum } from '../../../src/core/backend/ops.js';
import { size } from '../../../src/core/backend/tensor.js';
import type { VariableSpec } from '../../../src/core/backend/variables.js';
import { createPass, within } from '../../../src/core/layers/scope.js';
import { type RevnetConfig, revnetStage, revnetTrunk } from '../../../src/core/model/revnet.js';
import { fixture } from '../../paths.js';
import { type Case, differentiated, epsilon, farthest, variablesOf } from './differentiated.js';

interface Reference {
  input: number[];
  output: { values: number[] };
  input_gradient: number[];
  parameter_gradients: Record<string, number[]>;
}
type References = { unit: Reference & { bottleneck: number }; trunk: Reference & { config: RevnetConfig } };

const engine = await startEngine();
const references = JSON.parse(readFileSync(fixture('models/revnet.json'), 'utf8')) as References;
const executions = ['eager', 'traced'] as const;

/** The fixture's arrays. */
const array = (number: number, shape: readonly number[]) =>
  Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(0.7 * i * i + 0.3 * i + number));

function caseOf({ input, parameter_gradients }: Reference, network: Case['network']): Case {
  const order = Object.keys(parameter_gradients);
  return {
    network,
    shape: input,
    input: array(0, input),
    parameter: ({ name, shape }) => {
      const values = array(order.indexOf(name.replace(/^net\//, '')) + 1, shape);
      return name.endsWith('scale') ? values.map((value) => value + 1) : values;
    },
    weights: (shape) => array(1000, shape),
  };
}

const expectation = ({ output, input_gradient, parameter_gradients }: Reference) => {
  return { output: output.values, input: input_gradient, ...parameter_gradients };
};

for (const execution of executions) {
  for (const reversible of [true, false]) {
    const how = `${execution}, ${reversible ? 'reversible' : 'plain'}`;
    t.test(`a unit as in PyTorch: ${how}`, async (t) => {
      const { unit } = references;
      const network: Case['network'] = (scope, x) =>
        revnetStage(scope, x, 1, { bottleneck: unit.bottleneck, reversible });
      const worst = farthest(differentiated(engine, execution, caseOf(unit, network)), expectation(unit));
      t.ok(worst.by < 1e-4, `${worst.name}: ${worst.by}`);
    });

    t.test(`a trunk as in PyTorch: ${how}`, async (t) => {
      const { trunk } = references;
      const network: Case['network'] = (scope, x) => revnetTrunk(scope, x, { ...trunk.config, reversible });
      const worst = farthest(differentiated(engine, execution, caseOf(trunk, network)), expectation(trunk));
      t.ok(worst.by < 1e-4, `${worst.name}: ${worst.by}`);
    });
  }
}

const small = {
  channels: 16,
  multipliers: [1, 2, 4],
  units: [3, 4, 3],
  bottleneck: 2,
  stem: { size: 3, stride: 1, pool: false },
};
const shape = [4, 16, 16, 3];
const smallCase = (reversible: boolean): Case => ({
  network: (scope, x) => revnetTrunk(scope, x, { ...small, reversible }),
  shape,
  input: array(0, shape),
  parameter: (spec: VariableSpec) => engine.scope(() => Float32Array.from(engine.read(initialValue(spec, 3)))),
  weights: (s) => array(1, s),
});

t.test('ten units: reversible gradients are the plain ones', async (t) => {
  const reference = differentiated(engine, 'eager', smallCase(false)) as Record<string, Float32Array>;
  for (const execution of executions) {
    const worst = farthest(differentiated(engine, execution, smallCase(true)), reference);
    t.ok(worst.by < 1e-4, `${execution}: ${worst.name}: ${worst.by}`);
  }
});

t.test('in mixed precision too: the halves stay in float32', async (t) => {
  // In bfloat16 y1 − F(x2) would be another x1, and these gradients would differ by a third.
  const plain = differentiated(engine, 'traced', smallCase(false), 'bf16');
  const worst = farthest(
    differentiated(engine, 'traced', smallCase(true), 'bf16'),
    plain as Record<string, Float32Array>,
  );
  t.ok(worst.by < 1e-2, `${worst.name}: ${worst.by}`);
  t.ok(
    farthest(plain, differentiated(engine, 'traced', smallCase(false)) as Record<string, Float32Array>).by > 1e-3,
    'it is mixed precision',
  );
});

t.test('the halves swap from unit to unit', async (t) => {
  // Without the swap, all units of a stage would change x1 by functions of the same x2, and their order would not
  // matter.
  const stage =
    (order: string[]): Case['network'] =>
    (scope, x) =>
      order.reduce((y, name) => revnetStage(within(scope, name), y, 1, { bottleneck: 2 }), x);
  const run = (order: string[]) => {
    const c = { ...caseOf(references.unit, stage(order)), parameter: smallCase(true).parameter };
    return Array.from(differentiated(engine, 'eager', c).output);
  };
  const [ab, ba] = [run(['a', 'b']), run(['b', 'a'])];
  t.ok(Math.max(...ab.map((value, i) => Math.abs(value - ba[i]))) > 0.1);
  // And after one unit the first half of the channels is what the second was.
  const one = run(['a']);
  const input = array(0, references.unit.input);
  const half = (values: number[], from: number) => values.filter((_, i) => i % 16 >= from && i % 16 < from + 8);
  t.same(half(one, 0), half(Array.from(input), 8));
});

t.test('RevNet-50: the published sizes', async (t) => {
  // Counted by hand from the layer list of arXiv 1901.09005's code; the last agrees with what that code reports.
  for (const [factor, count] of [
    [4, 5_408_640],
    [8, 21_505_792],
    [16, 85_765_632],
  ]) {
    const config = {
      channels: 4 * 16 * factor,
      multipliers: [1, 2, 4, 8],
      units: [3, 4, 6, 3],
      bottleneck: 4,
      stem: { size: 7, stride: 2, pool: true },
    };
    const specs = variablesOf(
      (scope, x) => {
        const y = revnetTrunk(scope, x, config);
        t.same(y.shape, [1, 2, 2, 512 * factor]);
        return y;
      },
      [1, 64, 64, 3],
    );
    t.equal(
      specs.filter(({ trainable }) => trainable).reduce((sum, spec) => sum + size(spec.shape), 0),
      count,
    );
  }
});

t.test('passes that take statistics assign each of them once', async (t) => {
  const specs = variablesOf(smallCase(true).network, shape);
  const f: GraphFunction = {
    inputs: { x: { shape, dtype: 'float32' }, share: { shape: [], dtype: 'float32' } },
    run({ x, share }, variables) {
      const pass = createPass({ variables, epsilon, weights: 'trained', statistics: { share }, trains: true });
      const y = smallCase(true).network({ pass, path: 'net' }, x);
      return { gradient: gradients(sum(mul(y, y)), [...pass.parameters.values()])[0] };
    },
  };
  const { nodes } = recordFunctions(specs, { f });
  const assigned = nodes.filter(({ op, name }) => op === 'AssignVariableOp' && name.startsWith('f/'));
  t.equal(assigned.length, 2 * (10 * 3 + 1), 'mean and variance of three norms a unit, and of the last');
});
