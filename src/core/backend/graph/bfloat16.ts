/**
 * Mixed precision as a rewrite of a recorded graph: convolutions, matrix products and the large tensors between them
 * in bfloat16; weights, optimizer, statistics, losses, reductions and spectral norm in float32.
 */
import { type } from '../executor.js';
import { size } from '../tensor.js';
import type { Edge, GraphNode } from './graph.js';

/** Always computed in bfloat16. */
const ALWAYS = new Set(['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter']);
/**
 * Computed in bfloat16 when some input is in bfloat16 already, whatever the batch size: results must not depend on it.
 */
const FOLLOWING = new Set([
  'Relu',
  'ReluGrad',
  'BiasAdd',
  'BiasAddGrad',
  'AddV2',
  'Sub',
  'Mul',
  'AddN',
  'ConcatV2',
  'Reshape',
  'AvgPool',
  'AvgPoolGrad',
  'FusedBatchNormV3',
  'FusedBatchNormGradV3',
]);
/** Gradients of weights go back to float32 at once: they meet the optimizer next. */
const BACK_TO_FLOAT32 = new Set(['Conv2DBackpropFilter', 'BiasAddGrad']);
/** How many of the first inputs and outputs are data; the rest are statistics, which stay in float32. */
const DATA_PARTS: Record<string, { inputs: number; outputs: number }> = {
  FusedBatchNormV3: { inputs: 1, outputs: 1 },
  FusedBatchNormGradV3: { inputs: 2, outputs: 1 },
};
/**
 * Least inner size and width of a matrix product: smaller ones, and those of one row (power iteration), stay in
 * float32.
 */
const MATRIX_SIDE = 16;
const BATCH_NORM_WIDTH = 16;

/** @param nodes in an order in which each comes after its inputs */
export function toBfloat16(nodes: readonly GraphNode[]): GraphNode[] {
  const result: GraphNode[] = [];
  const rewritten = new Map<GraphNode, GraphNode>();
  const casts = new Map<string, Edge>();

  const nativeEdge = ({ node, output }: Edge): Edge => ({ node: rewritten.get(node)!, output });
  const dtypeOf = ({ node, output }: Edge) => node.outputs[output].dtype;
  const inDtype = (edge: Edge, wanted: 'float32' | 'bfloat16'): Edge => {
    const dtype = dtypeOf(edge);
    if (dtype === wanted || (dtype !== 'float32' && dtype !== 'bfloat16')) return edge;
    const key = `${edge.node.name}:${edge.output}`;
    const known = casts.get(key);
    if (known) return known;
    const cast: GraphNode = {
      name: `${edge.node.name}/${wanted}_${edge.output}`,
      op: 'Cast',
      attributes: { SrcT: type(dtype), DstT: type(wanted) },
      inputs: [edge],
      controls: [],
      outputs: [{ shape: edge.node.outputs[edge.output].shape, dtype: wanted }],
    };
    result.push(cast);
    const made = { node: cast, output: 0 };
    casts.set(key, made);
    return made;
  };

  for (const node of nodes) {
    const inputs = node.inputs.map(nativeEdge);
    const half = computesInHalf(node, inputs);
    const { inputs: dataInputs, outputs: dataOutputs } = DATA_PARTS[node.op] ?? { inputs: Infinity, outputs: Infinity };
    const copy: GraphNode = {
      ...node,
      inputs: inputs.map((edge, i) => inDtype(edge, half && i < dataInputs ? 'bfloat16' : 'float32')),
      controls: node.controls.map((control) => rewritten.get(control)!),
      attributes: half ? { ...node.attributes, T: type('bfloat16') } : node.attributes,
      outputs: half
        ? node.outputs.map((spec, i) =>
            i < dataOutputs && spec.dtype === 'float32' ? { ...spec, dtype: 'bfloat16' } : spec,
          )
        : node.outputs,
    };
    result.push(copy);
    rewritten.set(node, half && givesWeightGradient(node) ? inDtype({ node: copy, output: 0 }, 'float32').node : copy);
  }
  return result;
}

function computesInHalf(node: GraphNode, inputs: readonly Edge[]): boolean {
  if (ALWAYS.has(node.op)) return true;
  if (node.op === 'MatMul') {
    const { shape, dtype } = node.outputs[0];
    const inner = size(shapeOf(node.inputs[0])) / shape[0];
    return dtype === 'float32' && shape[0] > 1 && shape[1] >= MATRIX_SIDE && inner >= MATRIX_SIDE;
  }
  if (!FOLLOWING.has(node.op)) return false;
  // The kernel for matrices adds up in bfloat16, which loses a tenth of the sum; for images it is part of a
  // convolution.
  if (node.op === 'BiasAddGrad' && shapeOf(node.inputs[0]).length === 2) return false;
  // oneDNN has no fast bfloat16 batch norm for other widths.
  if (node.op in DATA_PARTS && node.outputs[0].shape[3] % BATCH_NORM_WIDTH !== 0) return false;
  return inputs.some(({ node: source, output }) => source.outputs[output].dtype === 'bfloat16');
}

const shapeOf = ({ node, output }: Edge) => node.outputs[output].shape;

function givesWeightGradient({ op, attributes }: GraphNode): boolean {
  const { transpose_a: transposed } = attributes;
  return BACK_TO_FLOAT32.has(op) || (op === 'MatMul' && transposed?.kind === 'bool' && transposed.value);
}
