/** A layer or network against PyTorch's outputs and gradients (fixtures/layers), op by op or as a recorded graph. */
import { createDryExecutor } from '../../../src/core/backend/dry.js';
import { startEngine } from '../../../src/core/backend/engine.js';
import { constant, type Values, withExecutor } from '../../../src/core/backend/executor.js';
import { gradients, watch } from '../../../src/core/backend/gradient.js';
import type { GraphFunction } from '../../../src/core/backend/graph-function.js';
import { hash } from '../../../src/core/backend/initialise.js';
import { createMachine, type Execution, type Machine } from '../../../src/core/backend/machine.js';
import { add, mul, sum } from '../../../src/core/backend/ops.js';
import { size, type Tensor } from '../../../src/core/backend/tensor.js';
import {
  declareOnly,
  type VariableSpec,
  type Variables,
  type VariableValues,
} from '../../../src/core/backend/variables.js';
import { readSafetensors } from '../../../src/core/formats/safetensors.js';
import { createPass, type Pass, type PassOptions, type Scope } from '../../../src/core/layers/scope.js';
import { parametersOf } from '../../../src/core/model/bigbigan.js';
import { fixture } from '../../paths.js';

export const engine = await startEngine();
const { tensors: references } = await readSafetensors(fixture('layers/references.safetensors'));
/** PyTorch's arithmetic is in doubles, ours in floats; of each array's largest value. */
export const TOLERANCE = 1e-4;

export interface Case {
  /** Shapes of the inputs. */
  inputs: Record<string, readonly number[]>;
  run(pass: Pass, inputs: Record<string, Tensor>): Record<string, Tensor>;
  /** 'batch' unless stated. */
  statistics?: 'batch' | 'standing';
}

export type Named = Record<string, ArrayLike<number>>;

/** Values from a name alone, as `array` in fixtures/layers/reference.py has them. */
export function array(name: string, shape: readonly number[]): Float32Array {
  const number = (hash(name) >>> 0) % 1000;
  const kind = name.split('/').at(-1)!;
  const width = Math.sqrt(2 / size(shape.slice(0, -1)));
  return Float32Array.from({ length: size(shape) }, (_, i) => {
    const a = Math.sin(0.7 * i * i + number * (i + 1));
    if (kind === 'kernel') return a * width;
    if (kind === 'scale' || kind === 'standing_variance') return 1 + a / 2;
    if (kind === 'bias' || kind === 'offset' || kind === 'standing_mean') return a / 2;
    return kind === 'gate' ? 0.7 : a;
  });
}

/** The layer called `layer` of one input. */
export const layer = (run: (scope: Scope, x: Tensor) => Tensor, ...x: number[]): Case => {
  return { inputs: { x }, run: (pass, { x }) => ({ y: run({ pass, path: 'layer' }, x) }) };
};

export const labels = (n: number): Tensor => constant(Int32Array.of(2, 0, 1, 2).slice(0, n), [n]);

const epsilon = { batchNorm: 1e-4, spectralNorm: 1e-12 };
const passOver = (variables: Variables, { statistics = 'batch' }: Case, options: Partial<PassOptions>) =>
  createPass({ variables, epsilon, weights: 'trained', statistics, ...options });

function variablesOf(c: Case): VariableSpec[] {
  const variables = declareOnly();
  withExecutor(createDryExecutor(), () => {
    const inputs = Object.entries(c.inputs).map(([key, shape]) => [
      key,
      constant(new Float32Array(size(shape)), shape),
    ]);
    c.run(passOver(variables, c, {}), Object.fromEntries(inputs));
  });
  return [...variables.specs.values()];
}

function inputsOf(c: Case): GraphFunction['inputs'] {
  return Object.fromEntries(Object.entries(c.inputs).map(([key, shape]) => [key, { shape, dtype: 'float32' }]));
}

/** What a training step does once it has the gradients, by name. */
export type Update = (pass: Pass, gradient: (name: string) => Tensor) => void;

/** A forward and a backward pass in which power iteration moves on. */
function training(c: Case, update: Update): GraphFunction {
  return {
    inputs: inputsOf(c),
    run(given, variables) {
      const pass = passOver(variables, c, { trains: true, updatesSpectralNorm: true });
      const inputs = Object.fromEntries(Object.entries(given).map(([key, x]) => [key, watch(x)]));
      const outputs = Object.entries(c.run(pass, inputs));
      const weights = (key: string, { shape }: Tensor) => constant(array(`weights/${key}`, shape), shape);
      const loss = outputs.map(([key, y]) => sum(mul(y, weights(key, y)))).reduce(add);
      const parameters = parametersOf(pass);
      const names = [...Object.keys(inputs), ...parameters.names];
      const found = gradients(loss, [...Object.values(inputs), ...parameters.tensors], names);
      update(pass, (name) => found[names.indexOf(name)]);
      return Object.fromEntries([
        ...outputs.map(([key, y]) => [`output/${key}`, y]),
        ...names.map((name, i) => [`gradient/${name}`, found[i]]),
      ]);
    },
  };
}

/** A forward pass that changes nothing. */
function evaluation(c: Case): GraphFunction {
  return {
    inputs: inputsOf(c),
    run(inputs, variables) {
      const outputs = c.run(passOver(variables, c, {}), inputs);
      return Object.fromEntries(Object.entries(outputs).map(([key, y]) => [`output/${key}`, y]));
    },
  };
}

export interface Placed {
  /** Outputs and gradients of a pass, and what power iteration's vectors are after it. */
  train(): Named;
  evaluate(): Named;
  values: Machine<string>['values'];
  dispose: Machine<string>['dispose'];
}

/** A case on variables of the fixture's values, or of those given. */
export function place(c: Case, execution: Execution, given: Named = {}, update: Update = () => {}): Placed {
  const specs = variablesOf(c);
  const values: VariableValues = new Map(
    specs.map(({ name, shape }) => [name, { shape, data: Float32Array.from(given[name] ?? array(name, shape)) }]),
  );
  const functions = { train: training(c, update), evaluate: evaluation(c) };
  const machine = createMachine(engine, { execution, precision: 'float32', specs, values, functions });
  const inputs = (): Record<string, Values> =>
    Object.fromEntries(Object.entries(c.inputs).map(([key, shape]) => [key, array(`input/${key}`, shape)]));
  const vectors = () => {
    const all = [...machine.values()].filter(([name]) => name.endsWith('/u'));
    return Object.fromEntries(all.map(([name, { data }]) => [`u/${name}`, data]));
  };
  return {
    train: () => ({ ...machine.call('train', inputs()), ...vectors() }),
    evaluate: () => machine.call('evaluate', inputs()),
    values: machine.values,
    dispose: machine.dispose,
  };
}

/** All that the fixture has of a case: `output/…`, `gradient/…`, `u/…`. */
export function referenceOf(name: string): Named {
  const found = [...references].filter(([key]) => key.startsWith(`${name}/`));
  if (found.length === 0) throw new Error(`the fixture has no case ${name}`);
  return Object.fromEntries(found.map(([key, { data }]) => [key.slice(name.length + 1), data as Float32Array]));
}

/**
 * What differs by more than the tolerance, in words. An array is measured by its own largest value, or a hundredth of
 * the largest in the case: of biases in front of batch norm, what is left is nothing or little beside what cancels.
 */
export function differences(got: Named, wanted: Named): string[] {
  const largest = (values: ArrayLike<number>) =>
    Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const least = Math.max(...Object.values(wanted).map(largest)) / 100;
  const extra = Object.keys(got)
    .filter((name) => !(name in wanted))
    .map((name) => `${name}: not in the fixture`);
  const wrong = Object.entries(wanted).flatMap(([name, values]) => {
    if (got[name]?.length !== values.length) return [`${name}: ${got[name]?.length} values, not ${values.length}`];
    const by = largest(Array.from(values, (value, i) => value - got[name][i])) / Math.max(largest(values), least);
    return by < TOLERANCE ? [] : [`${name}: differs by ${by}`];
  });
  return [...extra, ...wrong];
}

/** Runs a case once. */
export function compare(name: string, c: Case, execution: Execution): string[] {
  const placed = place(c, execution);
  const got = placed.train();
  placed.dispose();
  return differences(got, referenceOf(name));
}
