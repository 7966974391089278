/** What a recorded graph costs to run, from shapes alone. */
import type { Attributes } from '../executor.js';
import { size } from '../tensor.js';
import type { Edge, GraphNode } from './graph.js';

export interface Cost {
  /** Of convolutions and matrix products; a multiplication and an addition count as two. */
  flops: number;
  /**
   * Peak memory of intermediate results in bytes, when nodes run in their order and every result is
   * freed after its last use. Variables and constants are not among them.
   */
  activationBytes: number;
}

/** @param nodes in an order of execution */
export function costOf(nodes: readonly GraphNode[]): Cost {
  return { flops: nodes.reduce((sum, node) => sum + flopsOf(node), 0), activationBytes: peakBytes(nodes) };
}

/** A multiplication and an addition for each pair that meets. */
function flopsOf({ op, inputs, outputs, attributes }: GraphNode): number {
  const shape = (i: number) => shapeOf(inputs[i]);
  // Of an output, or a gradient of one: each of its elements is a sum over the kernel without its last axis.
  const convolution = (values: readonly number[], kernel: readonly number[]) =>
    2 * size(values) * size(kernel.slice(0, 3));
  const product = (transposed: Attributes[string]) => {
    const rows = transposed.kind === 'bool' && transposed.value;
    return 2 * size(outputs[0].shape) * shape(0).at(rows ? -2 : -1)!;
  };
  switch (op) {
    case 'Conv2D':
      return convolution(outputs[0].shape, shape(1));
    case 'Conv2DBackpropInput':
      return convolution(shape(2), shape(1));
    case 'Conv2DBackpropFilter':
      return convolution(shape(2), outputs[0].shape);
    case 'MatMul':
      return product(attributes.transpose_a);
    case 'BatchMatMulV2':
      return product(attributes.adj_x);
    default:
      return 0;
  }
}

const shapeOf = ({ node, output }: Edge) => node.outputs[output].shape;

/** Results that share the memory of their input. */
const ALIASES = new Set(['Reshape', 'Identity']);
/** Results that hold no memory of their own; a Fill of a constant shape is a constant. */
const ELSEWHERE = new Set(['Const', 'Fill', 'Placeholder', 'ReadVariableOp', 'VarHandleOp']);
const BYTES: Record<string, number> = { float32: 4, int32: 4, bfloat16: 2, uint8: 1, bool: 1, float64: 8 };

function peakBytes(nodes: readonly GraphNode[]): number {
  const owner = (node: GraphNode): GraphNode => (ALIASES.has(node.op) ? owner(node.inputs[0].node) : node);
  const lastUse = new Map<GraphNode, number>();
  nodes.forEach((node, at) => {
    for (const { node: source } of node.inputs) lastUse.set(owner(source), at);
  });
  const freed = Array.from(nodes, (): number => 0);
  let [held, peak] = [0, 0];
  nodes.forEach((node, at) => {
    if (!ALIASES.has(node.op) && !ELSEWHERE.has(node.op)) {
      const bytes = node.outputs.reduce(
        (sum, { shape, dtype }) => sum + Math.max(0, size(shape)) * (BYTES[dtype] ?? 0),
        0,
      );
      held += bytes;
      freed[Math.max(at, lastUse.get(node) ?? at)] += bytes;
    }
    peak = Math.max(peak, held);
    held -= freed[at];
  });
  return peak;
}
