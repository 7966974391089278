/**
 * A network's output and the gradients of Σ output · weights, op by op or as a graph, for given values of everything.
 */
import { createDryExecutor } from '../../../src/core/backend/dry.js';
import type { Engine } from '../../../src/core/backend/engine.js';
import { constant, type Values, withExecutor } from '../../../src/core/backend/executor.js';
import { gradients, watch } from '../../../src/core/backend/gradient.js';
import type { GraphFunction } from '../../../src/core/backend/graph-function.js';
import { createMachine, type Execution } from '../../../src/core/backend/machine.js';
import { mul, sum } from '../../../src/core/backend/ops.js';
import type { Precision } from '../../../src/core/backend/precision.js';
import { size, type Tensor } from '../../../src/core/backend/tensor.js';
import { declareOnly, type VariableSpec, type VariableValues } from '../../../src/core/backend/variables.js';
import { createPass, type Scope } from '../../../src/core/layers/scope.js';
import { parametersOf } from '../../../src/core/model/bigbigan.js';

export interface Case {
  network: (scope: Scope, x: Tensor) => Tensor;
  shape: readonly number[];
  /** Values of a parameter from its name and shape. */
  parameter: (spec: VariableSpec) => Float32Array;
  input: Float32Array;
  /** Weights of the output in the loss. */
  weights: (shape: readonly number[]) => Float32Array;
}

export const epsilon = { batchNorm: 1e-4, spectralNorm: 1e-12 };

/** All variables of a network, without the engine. */
export function variablesOf(network: Case['network'], shape: readonly number[]): VariableSpec[] {
  const variables = declareOnly();
  withExecutor(createDryExecutor(), () => {
    const pass = createPass({ variables, epsilon, weights: 'trained', statistics: 'batch' });
    network({ pass, path: 'net' }, constant(new Float32Array(size(shape)), shape));
  });
  return [...variables.specs.values()];
}

/** The function whose outputs are `output`, `input` (a gradient), and the gradient of each parameter by its name. */
export function lossFunction({ network, shape, weights }: Pick<Case, 'network' | 'shape' | 'weights'>): GraphFunction {
  return {
    inputs: { x: { shape, dtype: 'float32' } },
    run({ x }, variables) {
      const pass = createPass({ variables, epsilon, weights: 'trained', statistics: 'batch', trains: true });
      const input = watch(x);
      const output = network({ pass, path: 'net' }, input);
      const loss = sum(mul(output, constant(weights(output.shape), output.shape)));
      const { names, tensors } = parametersOf(pass);
      const found = gradients(loss, [input, ...tensors], ['input', ...names]);
      return {
        output,
        ...Object.fromEntries(['input', ...names].map((name, i) => [name.replace(/^net\//, ''), found[i]])),
      };
    },
  };
}

export function differentiated(engine: Engine, execution: Execution, c: Case, precision: Precision = 'float32') {
  const specs = variablesOf(c.network, c.shape);
  const values: VariableValues = new Map();
  for (const spec of specs) {
    const data = spec.trainable ? c.parameter(spec) : new Float32Array(size(spec.shape));
    values.set(spec.name, { shape: spec.shape, data });
  }
  const machine = createMachine(engine, { execution, precision, specs, values, functions: { loss: lossFunction(c) } });
  const result = machine.call('loss', { x: c.input });
  machine.dispose();
  return result;
}

/** Largest difference of two sets of arrays, each relative to its own largest value, and where it is. */
export function farthest(
  got: Record<string, Values>,
  wanted: Record<string, ArrayLike<number>>,
): { name: string; by: number } {
  let worst = { name: '', by: 0 };
  for (const [name, values] of Object.entries(wanted)) {
    const scale = Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    const same = got[name]?.length === values.length;
    const by = same
      ? Array.from(values).reduce((most, value, i) => Math.max(most, Math.abs(value - got[name][i])), 0) / scale
      : Infinity;
    if (!(by <= worst.by)) worst = { name, by };
  }
  return worst;
}
