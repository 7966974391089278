/**
 * Named state: every weight, statistic and optimizer slot is a variable with a path like
 * `generator/block0/conv1/kernel`.
 */
import type { EagerExecutor } from './eager.js';
import { bool, execute, execute1, shapeOf, string, type } from './executor.js';
import type { Initialiser } from './initialise.js';
import { type DType, sameShape, size, type Tensor } from './tensor.js';

export interface VariableSpec {
  name: string;
  shape: readonly number[];
  dtype: DType;
  initialiser: Initialiser;
  /** Whether an optimizer trains it; the rest is state, such as statistics. */
  trainable: boolean;
}

/** What a layer may do with state. It never sees a value. */
export interface Variables {
  /** Makes the variable known; the same name again must have the same shape. */
  declare(spec: VariableSpec): void;
  read(name: string): Tensor;
  assign(name: string, value: Tensor): void;
}

/** Collects what a model declares, under the dry executor: counts and shapes without allocation. */
export interface DeclaredVariables extends Variables {
  specs: ReadonlyMap<string, VariableSpec>;
}

export function declareOnly(): DeclaredVariables {
  const specs = new Map<string, VariableSpec>();
  let next = -1_000_000_000;
  return {
    specs,
    declare(spec) {
      const known = specs.get(spec.name);
      if (known && !sameShape(known.shape, spec.shape)) {
        throw new Error(`${spec.name} is declared as [${known.shape}] and as [${spec.shape}]`);
      }
      specs.set(spec.name, spec);
    },
    read(name) {
      const { shape, dtype } = specs.get(name)!;
      return { id: next--, shape, dtype };
    },
    assign: () => {},
  };
}

export type VariableValues = Map<string, { shape: readonly number[]; data: Float32Array }>;

/** State as resource variables, in the engine or in a graph. */
export interface ResourceVariables extends Variables {
  specs: ReadonlyMap<string, VariableSpec>;
  handle(name: string): Tensor;
}

/** Reads and assigns through handles, by whichever executor is active. */
export function resourceVariables(
  specs: Iterable<VariableSpec>,
  handles: ReadonlyMap<string, Tensor>,
): ResourceVariables {
  const known = new Map([...specs].map((spec) => [spec.name, spec]));
  const handle = (name: string) => {
    const found = handles.get(name);
    if (!found) throw new Error(`there is no variable ${name}`);
    return found;
  };
  return {
    specs: known,
    handle,
    declare(spec) {
      const already = known.get(spec.name);
      if (!already) throw new Error(`${spec.name} is not part of the model that was allocated`);
      if (!sameShape(already.shape, spec.shape)) {
        throw new Error(`${spec.name} has the shape [${already.shape}], not [${spec.shape}]`);
      }
    },
    read(name) {
      const source = handle(name);
      const { shape, dtype } = known.get(name)!;
      return execute1('ReadVariableOp', { dtype: type(dtype) }, [source], { shape, dtype });
    },
    assign(name, value) {
      const attributes = { dtype: type(value.dtype), validate_shape: bool(false) };
      execute('AssignVariableOp', attributes, [handle(name), value], []);
    },
  };
}

/** State that lives in the engine. */
export interface AllocatedVariables extends ResourceVariables {
  /** Values for a checkpoint, of all variables or of some. */
  values(some?: Iterable<VariableSpec>): VariableValues;
  /** Sets one variable from host memory; the shape must fit. */
  set(name: string, data: Float32Array): void;
  dispose(): void;
}

let stores = 0;

/** Allocates variables; each starts as `initial` says. */
export function allocate(
  engine: EagerExecutor,
  specs: readonly VariableSpec[],
  initial: (spec: VariableSpec) => Tensor,
): AllocatedVariables {
  const handles = new Map<string, Tensor>();
  const container = string(`bigbigan-${stores++}`);
  for (const { name, shape, dtype } of specs) {
    const attributes = { dtype: type(dtype), shape: shapeOf(shape), shared_name: string(name), container };
    handles.set(name, execute1('VarHandleOp', attributes, [], { shape: [-1], dtype: 'resource' }));
  }
  const variables = resourceVariables(specs, handles);
  for (const spec of variables.specs.values()) engine.scope(() => variables.assign(spec.name, initial(spec)));

  return {
    ...variables,
    values(some = variables.specs.values()) {
      const values: VariableValues = new Map();
      for (const { name, shape } of some) {
        const data = engine.scope(() => (engine.read(variables.read(name)) as Float32Array).slice());
        values.set(name, { shape, data });
      }
      return values;
    },
    set(name, data) {
      const { shape, dtype } = variables.specs.get(name)!;
      if (data.length !== size(shape)) throw new Error(`${name} takes ${size(shape)} values, got ${data.length}`);
      engine.scope(() => variables.assign(name, engine.constant(data.slice(), shape, dtype)));
    },
    dispose() {
      for (const handle of handles.values()) {
        execute('DestroyResourceOp', { ignore_lookup_error: bool(true) }, [handle], []);
        engine.dispose(handle);
      }
      handles.clear();
    },
  };
}
