/** Reading and setting all variables of a graph, each in one call. */
import { bool, shapeOf, string, type } from '../executor.js';
import { size } from '../tensor.js';
import type { VariableSpec, VariableValues } from '../variables.js';
import type { GraphNode } from './graph.js';
import type { Session } from './session.js';

const readName = (variable: string) => `state/${variable}/read`;
const valueName = (variable: string) => `state/${variable}/value`;
const assignedName = (variable: string) => `state/${variable}/assigned`;

/** The node that stands for a variable. */
export function handleNode({ name, shape, dtype }: VariableSpec): GraphNode {
  return {
    name: `state/${name}/handle`,
    op: 'VarHandleOp',
    attributes: { dtype: type(dtype), shape: shapeOf(shape), shared_name: string(name), container: string('') },
    inputs: [],
    controls: [],
    outputs: [{ shape: [], dtype: 'resource' }],
  };
}

/**
 * For each variable a read, an assignment that waits to be fed, and a number that can be fetched and waits for that.
 * A fed value may be memory of JavaScript, which only the main thread may free: a variable gets a copy, as its values
 * are freed by whichever thread of the kernels replaces them.
 */
export function stateNodes(specs: readonly VariableSpec[], handles: ReadonlyMap<string, GraphNode>): GraphNode[] {
  const nodes: GraphNode[] = [];
  for (const { name, shape, dtype } of specs) {
    const handle = { node: handles.get(name)!, output: 0 };
    const spec = { shape, dtype };
    const common = { controls: [], outputs: [spec] };
    const value = {
      name: valueName(name),
      op: 'Placeholder',
      attributes: { dtype: type(dtype), shape: shapeOf(shape) },
      inputs: [],
      ...common,
    };
    const copy: GraphNode = {
      name: `state/${name}/copy`,
      op: 'DeepCopy',
      attributes: { T: type(dtype) },
      inputs: [{ node: value, output: 0 }],
      ...common,
    };
    const assign: GraphNode = {
      name: `state/${name}/assign`,
      op: 'AssignVariableOp',
      attributes: { dtype: type(dtype), validate_shape: bool(false) },
      inputs: [handle, { node: copy, output: 0 }],
      controls: [],
      outputs: [],
    };
    const assigned: GraphNode = {
      name: assignedName(name),
      op: 'Const',
      attributes: { dtype: type('float32') },
      inputs: [],
      controls: [assign],
      outputs: [{ shape: [], dtype: 'float32' }],
      value: Float32Array.of(0),
    };
    nodes.push(value, copy, assign, assigned, {
      name: readName(name),
      op: 'ReadVariableOp',
      attributes: { dtype: type(dtype) },
      inputs: [handle],
      ...common,
    });
  }
  return nodes;
}

/** Sets all variables. */
export function restoreState(session: Session, specs: readonly VariableSpec[], values: VariableValues): void {
  for (const part of parts(specs)) {
    const feeds = part.map(({ name, shape, dtype }) => {
      const value = values.get(name);
      if (!value) throw new Error(`there is no value for ${name}`);
      return { node: valueName(name), shape, dtype, values: value.data };
    });
    session.run(
      feeds,
      part.map(({ name }) => assignedName(name)),
    );
  }
}

/** The values of all variables, as copies. */
export function readState(session: Session, specs: readonly VariableSpec[]): VariableValues {
  const values: VariableValues = new Map();
  for (const part of parts(specs)) {
    const arrays = session.run(
      [],
      part.map(({ name }) => readName(name)),
    );
    part.forEach(({ name, shape }, i) => values.set(name, { shape, data: (arrays[i] as Float32Array).slice() }));
  }
  return values;
}

/** How much goes into one call: everything, except for models whose state would be in memory several times. */
const CALL_BYTES = 2 ** 29;

function parts(specs: readonly VariableSpec[]): VariableSpec[][] {
  const all: VariableSpec[][] = [];
  let bytes = Infinity;
  for (const spec of specs) {
    const own = 4 * size(spec.shape);
    if (bytes + own > CALL_BYTES) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)!.push(spec);
    bytes += own;
  }
  return all;
}
