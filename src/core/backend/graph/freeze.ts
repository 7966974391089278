/** Variables of a graph replaced by their values. */
import { type } from '../executor.js';
import type { VariableValues } from '../variables.js';
import type { GraphNode } from './graph.js';

/** Names of the variables that a graph reads. */
export function variablesRead(nodes: readonly GraphNode[]): Set<string> {
  return new Set(nodes.filter(({ op }) => op === 'ReadVariableOp').map(variableName));
}

/**
 * Each variable becomes one constant of its name, which shares the memory of `values`. Control edges order what
 * happens to variables, and go with them; but an addition that waits for a variable, so that TensorFlow's remapper
 * leaves it alone (recorder.ts), waits instead for an input of the function that it depends on anyway.
 * @param nodes in an order in which each comes after its inputs; they only read variables
 */
export function freeze(nodes: readonly GraphNode[], values: VariableValues): GraphNode[] {
  const frozen = new Map<GraphNode, GraphNode>();
  const constants = new Map<string, GraphNode>();
  const placeholders = new Map<GraphNode, GraphNode>();
  for (const node of nodes) {
    if (node.op === 'ReadVariableOp') {
      const name = variableName(node);
      const constant = constants.get(name) ?? weight(name, values);
      constants.set(name, constant);
      frozen.set(node, constant);
    } else if (node.inputs.some((edge) => edge.node.op === 'VarHandleOp')) {
      throw new Error(`${node.name} does more with a variable than to read it`);
    } else if (node.op !== 'VarHandleOp') {
      const inputs = node.inputs.map(({ node: source, output }) => ({ node: frozen.get(source)!, output }));
      const guarded = node.controls.some(({ op }) => op === 'VarHandleOp');
      const source = inputs.map((edge) => placeholders.get(edge.node)).find((placeholder) => placeholder);
      const copy = { ...node, inputs, controls: guarded && source ? [source] : [] };
      frozen.set(node, copy);
      if (node.op === 'Placeholder') placeholders.set(copy, copy);
      else if (source) placeholders.set(copy, source);
    }
  }
  return [...new Set(frozen.values())].filter(({ op }) => op !== 'NoOp');
}

function weight(name: string, values: VariableValues): GraphNode {
  const { shape, data } = values.get(name)!;
  const outputs = [{ shape, dtype: 'float32' as const }];
  return { name, op: 'Const', attributes: { dtype: type('float32') }, inputs: [], controls: [], outputs, value: data };
}

/** Of the variable that a node reads. */
function variableName({ name, inputs: [handle] }: GraphNode): string {
  const { shared_name: variable } = handle.node.attributes;
  if (variable?.kind !== 'string') throw new Error(`${name} reads a variable without a name`);
  return variable.value;
}
