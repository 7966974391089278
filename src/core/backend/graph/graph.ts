/** A computation as data: what the recorder makes, what passes rewrite, and what is written as a GraphDef. */
import type { Attributes, OutputSpec, Values } from '../executor.js';

export interface GraphNode {
  name: string;
  op: string;
  attributes: Attributes;
  inputs: Edge[];
  /** Nodes that run before this one, besides its inputs. */
  controls: GraphNode[];
  outputs: OutputSpec[];
  /** Of a Const. */
  value?: Values;
}

/** One output of a node. */
export interface Edge {
  node: GraphNode;
  output: number;
}

/** The nodes that `ends` need, in an order in which each comes after what it needs. */
export function needed(ends: Iterable<GraphNode>): GraphNode[] {
  const order: GraphNode[] = [];
  const state = new Map<GraphNode, 'open' | 'done'>();
  const stack = [...ends].reverse();
  while (stack.length > 0) {
    const node = stack.at(-1)!;
    if (state.get(node) === 'done') {
      stack.pop();
      continue;
    }
    if (state.get(node) === 'open') {
      state.set(node, 'done');
      order.push(node);
      stack.pop();
      continue;
    }
    state.set(node, 'open');
    for (const before of [...node.inputs.map((edge) => edge.node), ...node.controls]) {
      if (!state.has(before)) stack.push(before);
    }
  }
  return order;
}
