/**
 * One graph for batches of any size, from recordings of the same functions at two sizes: what differs between them is
 * the batch size, and becomes -1.
 */
import type { Values } from '../executor.js';
import { shapeOf } from '../executor.js';
import { sameShape } from '../tensor.js';
import type { Edge, GraphNode } from './graph.js';

/**
 * The recordings may differ in one entry of the shape that a Reshape is given, and of a Placeholder's.
 * @param nodes each list in an order in which a node comes after its inputs
 * @throws Error that names the node in which a batch size is fixed by other means
 */
export function anyBatch(nodes: readonly GraphNode[], others: readonly GraphNode[]): GraphNode[] {
  // Equal constants are recorded once, and which are equal may depend on the batch: they are met through their users.
  const computed = nodes.filter(({ op }) => op !== 'Const');
  const alike = others.filter(({ op }) => op !== 'Const');
  const result: GraphNode[] = [];
  const merged = new Map<GraphNode, GraphNode>();
  const keep = (key: GraphNode, node: GraphNode): GraphNode => {
    result.push(node);
    merged.set(key, node);
    return node;
  };

  const mergeConstant = (constant: GraphNode, other: GraphNode, user: GraphNode, input: number): GraphNode => {
    if (sameShape(constant.outputs[0].shape, other.outputs[0].shape) && sameValues(constant.value!, other.value!)) {
      return merged.get(constant) ?? keep(constant, constant);
    }
    const isShape = user.op === 'Reshape' && input === 1;
    const value = isShape && mergeShapes([...constant.value!], [...other.value!]);
    if (!value) throw fixed(user);
    const shape: GraphNode = { ...constant, name: `${user.name}/shape`, value: Int32Array.from(value) };
    result.push(shape);
    return shape;
  };

  computed.forEach((node, i) => {
    const other = alike[i];
    if (node.name !== other?.name || node.op !== other.op || node.inputs.length !== other.inputs.length)
      throw fixed(node);
    const inputs = node.inputs.map((edge, input): Edge => {
      const { node: source, output } = other.inputs[input];
      if (edge.output !== output || (edge.node.op === 'Const') !== (source.op === 'Const')) throw fixed(node);
      const from = source.op === 'Const' ? mergeConstant(edge.node, source, node, input) : merged.get(edge.node)!;
      return { node: from, output };
    });
    const outputs = node.outputs.map(({ shape, dtype }, output) => {
      const any = mergeShapes(shape, other.outputs[output].shape);
      if (!any) throw fixed(node);
      return { shape: any, dtype };
    });
    const attributes =
      node.op === 'Placeholder' ? { ...node.attributes, shape: shapeOf(outputs[0].shape) } : node.attributes;
    if (node.op !== 'Placeholder' && JSON.stringify(attributes) !== JSON.stringify(other.attributes)) throw fixed(node);
    keep(node, {
      ...node,
      attributes,
      inputs,
      outputs,
      controls: node.controls.map((control) => merged.get(control)!),
    });
  });
  return result;
}

/** The shape with -1 where the two differ; undefined when they do in more than one entry. */
function mergeShapes(a: readonly number[], b: readonly number[]): number[] | undefined {
  if (a.length !== b.length) return undefined;
  const merged = a.map((size, i) => (size === b[i] ? size : -1));
  return merged.filter((size, i) => size !== a[i]).length <= 1 ? merged : undefined;
}

function sameValues(a: Values, b: Values): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

function fixed({ name, op }: GraphNode): Error {
  return new Error(`the ${op} node ${name} depends on the batch size in a way that no graph for any size can express`);
}
