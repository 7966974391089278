/** Named state: every weight, statistic and optimizer slot is a variable with a path like `generator/block0/conv1/kernel`. */
import { type EagerExecutor } from './eager.js';
import { bool, execute, execute1, shapeOf, string, type } from './executor.js';
import type { Initialiser } from './initialise.js';
import { type DType, type Tensor, sameShape, size } from './tensor.js';

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

/** State that lives in the engine as resource variables. */
export interface ResourceVariables extends Variables {
  specs: ReadonlyMap<string, VariableSpec>;
  handle(name: string): Tensor;
  has(name: string): boolean;
  /** All values, for a checkpoint. */
  values(): VariableValues;
  /** Sets one variable from host memory; the shape must fit. */
  set(name: string, data: Float32Array): void;
  dispose(): void;
}

let stores = 0;

/** Allocates variables; each starts as `initial` says. */
export function allocate(
  engine: EagerExecutor,
  specs: Iterable<VariableSpec>,
  initial: (spec: VariableSpec) => Tensor,
): ResourceVariables {
  const known = new Map<string, VariableSpec>();
  const handles = new Map<string, Tensor>();
  const container = `bigbigan-${stores++}`;

  const add = (spec: VariableSpec) => {
    const attributes = {
      dtype: type(spec.dtype),
      shape: shapeOf(spec.shape),
      shared_name: string(spec.name),
      container: string(container),
    };
    const handle = execute1('VarHandleOp', attributes, [], { shape: [-1], dtype: 'resource' });
    known.set(spec.name, spec);
    handles.set(spec.name, handle);
    engine.scope(() => store.assign(spec.name, initial(spec)));
  };

  const store: ResourceVariables = {
    specs: known,
    declare(spec) {
      const already = known.get(spec.name);
      if (!already) throw new Error(`${spec.name} is not part of the model that was allocated`);
      if (!sameShape(already.shape, spec.shape)) {
        throw new Error(`${spec.name} has the shape [${already.shape}], not [${spec.shape}]`);
      }
    },
    has: (name) => handles.has(name),
    handle: (name) => {
      const handle = handles.get(name);
      if (!handle) throw new Error(`there is no variable ${name}`);
      return handle;
    },
    read(name) {
      const handle = store.handle(name);
      const { shape, dtype } = known.get(name)!;
      return execute1('ReadVariableOp', { dtype: type(dtype) }, [handle], { shape, dtype });
    },
    assign(name, value) {
      execute('AssignVariableOp', { dtype: type(value.dtype), validate_shape: bool(false) }, [store.handle(name), value], []);
    },
    values() {
      const values: VariableValues = new Map();
      for (const [name, { shape }] of known) {
        const data = engine.scope(() => engine.read(store.read(name))) as Float32Array;
        values.set(name, { shape, data: data.slice() });
      }
      return values;
    },
    set(name, data) {
      const { shape, dtype } = known.get(name)!;
      if (data.length !== size(shape)) throw new Error(`${name} takes ${size(shape)} values, got ${data.length}`);
      engine.scope(() => store.assign(name, engine.constant(data.slice(), shape, dtype)));
    },
    dispose() {
      for (const handle of handles.values()) {
        execute('DestroyResourceOp', { ignore_lookup_error: bool(true) }, [handle], []);
        engine.dispose(handle);
      }
      handles.clear();
      known.clear();
    },
  };
  for (const spec of specs) add(spec);
  return store;
}

