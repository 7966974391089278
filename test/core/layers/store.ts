/** Runs a layer on variables whose values the test decides. */
import { createDryExecutor } from '../../../src/core/backend/dry.js';
import { startEngine } from '../../../src/core/backend/engine.js';
import { constant, withExecutor } from '../../../src/core/backend/executor.js';
import { size, type Tensor } from '../../../src/core/backend/tensor.js';
import { allocate, declareOnly } from '../../../src/core/backend/variables.js';
import { createPass, type PassOptions, type Scope } from '../../../src/core/layers/scope.js';

export const engine = await startEngine();

const epsilon = { batchNorm: 1e-4, spectralNorm: 1e-4 };

/** Element i of array number s, as in fixtures/model/make.py. */
export function array(number: number, ...shape: number[]): Float32Array {
  return Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(0.7 * i * i + 0.3 * i + number));
}

export const tensor = (values: Float32Array, ...shape: number[]): Tensor => constant(values.slice(), shape);

export type Layer = (scope: Scope, x: Tensor) => Tensor;

/** A layer named `layer` with inputs of one shape; what is not in `values` is zeros. */
export function place(layer: Layer, shape: number[], values: Record<string, Float32Array>) {
  const declared = declareOnly();
  const dry = createDryExecutor();
  withExecutor(dry, () => {
    const pass = createPass({ variables: declared, epsilon, weights: 'trained', statistics: 'batch' });
    layer({ pass, path: 'layer' }, constant(new Float32Array(size(shape)), shape));
  });
  const variables = allocate(engine, [...declared.specs.values()], ({ name, shape: own }) =>
    constant(values[name]?.slice() ?? new Float32Array(size(own)), own),
  );
  return {
    variables,
    read: (name: string) => Array.from(variables.values().get(name)!.data),
    run(x: Float32Array, options: Partial<PassOptions>): number[] {
      return engine.scope(() => {
        const pass = createPass({ variables, epsilon, weights: 'trained', ...options });
        return Array.from(engine.read(layer({ pass, path: 'layer' }, constant(x.slice(), shape))));
      });
    },
  };
}

export function worst(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (found.length !== wanted.length) return Infinity;
  return Math.max(...Array.from(wanted, (value, i) => Math.abs(value - found[i])));
}
