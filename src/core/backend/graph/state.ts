/** Reading and setting all variables of a graph, each in one call. */
import { bool, shapeOf, string, type } from '../executor.js';
import type { VariableSpec, VariableValues } from '../variables.js';
import type { GraphNode } from './graph.js';
import type { Session } from './session.js';

const readName = (variable: string) => `state/${variable}/read`;
const valueName = (variable: string) => `state/${variable}/value`;
const RESTORED = 'state/restored';

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

/** For each variable a read, and an assignment that waits to be fed; and one node that waits for all assignments. */
export function stateNodes(specs: readonly VariableSpec[], handles: ReadonlyMap<string, GraphNode>): GraphNode[] {
  const nodes: GraphNode[] = [];
  const assignments: GraphNode[] = [];
  for (const { name, shape, dtype } of specs) {
    const handle = { node: handles.get(name)!, output: 0 };
    const spec = { shape, dtype };
    const common = { controls: [], outputs: [spec] };
    const value = { name: valueName(name), op: 'Placeholder', attributes: { dtype: type(dtype), shape: shapeOf(shape) }, inputs: [], ...common };
    const assign: GraphNode = {
      name: `state/${name}/assign`,
      op: 'AssignVariableOp',
      attributes: { dtype: type(dtype), validate_shape: bool(false) },
      inputs: [handle, { node: value, output: 0 }],
      controls: [],
      outputs: [],
    };
    assignments.push(assign);
    nodes.push(value, assign, { name: readName(name), op: 'ReadVariableOp', attributes: { dtype: type(dtype) }, inputs: [handle], ...common });
  }
  const zero: GraphNode = {
    name: RESTORED,
    op: 'Const',
    attributes: { dtype: type('float32') },
    inputs: [],
    controls: assignments,
    outputs: [{ shape: [], dtype: 'float32' }],
    value: Float32Array.of(0),
  };
  return [...nodes, zero];
}

export function restoreState(session: Session, specs: readonly VariableSpec[], values: VariableValues): void {
  const feeds = specs.map(({ name, shape, dtype }) => {
    const value = values.get(name);
    if (!value) throw new Error(`there is no value for ${name}`);
    return { node: valueName(name), shape, dtype, values: value.data };
  });
  session.run(feeds, [RESTORED]);
}

export function readState(session: Session, specs: readonly VariableSpec[]): VariableValues {
  const arrays = session.run([], specs.map(({ name }) => readName(name)));
  return new Map(specs.map(({ name, shape }, i) => [name, { shape, data: (arrays[i] as Float32Array).slice() }]));
}
