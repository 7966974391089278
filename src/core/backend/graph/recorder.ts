/**
 * Records operations instead of running them. State is read and written through resource variables, whose order the
 * recorder keeps by control edges: a read comes after the last write, a write after the last write and the reads since.
 */
import { createHash } from 'node:crypto';
import { type Executor, type OutputSpec, shapeOf, type, type Values } from '../executor.js';
import type { Tensor } from '../tensor.js';
import { type ResourceVariables, resourceVariables, type VariableSpec } from '../variables.js';
import { type Edge, type GraphNode, needed } from './graph.js';
import { handleNode, stateNodes } from './state.js';

export interface Recorder extends Executor {
  /** A value that is fed at every call. */
  placeholder(name: string, spec: OutputSpec): Tensor;
  /** Variables that the recorded functions share. */
  variables: ResourceVariables;
  /** Records a function: its outputs, by name, become nodes `FUNCTION/outputs/NAME` that wait for all its writes. */
  record(name: string, body: () => Record<string, Tensor>): string[];
  /** Everything that some output needs, in the order of recording; then what reads and sets the state. */
  nodes(): GraphNode[];
}

interface Access {
  write?: GraphNode;
  reads: GraphNode[];
}

export function createRecorder(specs: readonly VariableSpec[]): Recorder {
  const edges = new Map<number, Edge>();
  const constants = new Map<string, Tensor>();
  const handles = new Map<string, Tensor>();
  const recorded: GraphNode[] = [];
  const ends: GraphNode[] = [];
  let nextId = -1;
  let nextNode = 0;
  let scope = '';
  let accesses = new Map<GraphNode, Access>();

  const addNode = (node: GraphNode): Tensor[] => {
    recorded.push(node);
    return node.outputs.map(({ shape, dtype }, output) => {
      const tensor = { id: nextId--, shape, dtype };
      edges.set(tensor.id, { node, output });
      return tensor;
    });
  };
  const edgeOf = (tensor: Tensor): Edge => {
    const edge = edges.get(tensor.id);
    if (!edge) throw new Error('a tensor from outside is used while recording: pass it in as an input');
    return edge;
  };

  const handleNodes = new Map<string, GraphNode>();
  for (const spec of specs) {
    const node = handleNode(spec);
    handleNodes.set(spec.name, node);
    handles.set(spec.name, addNode(node)[0]);
  }

  return {
    execute(op, attributes, inputs, outputs, after = []) {
      const name = `${scope}${op}_${nextNode++}`;
      const controls = after.map((tensor) => edgeOf(tensor).node);
      const node: GraphNode = { name, op, attributes, inputs: inputs.map(edgeOf), controls, outputs: [...outputs] };
      orderAccess(node, accesses);
      keepFromRemapper(node, handleNodes.values().next().value);
      return addNode(node);
    },
    constant(values, shape, dtype) {
      const key = `${dtype}[${shape}]${digest(values)}`;
      const known = constants.get(key);
      if (known) return known;
      const node: GraphNode = {
        name: `constants/${constants.size}`,
        op: 'Const',
        attributes: { dtype: type(dtype) },
        inputs: [],
        controls: [],
        outputs: [{ shape, dtype }],
        value: values.slice() as Values,
      };
      const [tensor] = addNode(node);
      constants.set(key, tensor);
      return tensor;
    },
    placeholder(name, spec) {
      const attributes = { dtype: type(spec.dtype), shape: shapeOf(spec.shape) };
      return addNode({ name, op: 'Placeholder', attributes, inputs: [], controls: [], outputs: [spec] })[0];
    },
    variables: resourceVariables(specs, handles),
    record(name, body) {
      scope = `${name}/`;
      accesses = new Map();
      const outputs = body();
      const writes = [...accesses.values()].flatMap(({ write }) => write ?? []);
      const done: GraphNode = {
        name: `${name}/done`,
        op: 'NoOp',
        attributes: {},
        inputs: [],
        controls: writes,
        outputs: [],
      };
      recorded.push(done);
      for (const [key, tensor] of Object.entries(outputs)) {
        const { shape, dtype } = tensor;
        const end: GraphNode = {
          name: `${name}/outputs/${key}`,
          op: 'Identity',
          attributes: { T: type(dtype) },
          inputs: [edgeOf(tensor)],
          controls: [done],
          outputs: [{ shape, dtype }],
        };
        recorded.push(end);
        ends.push(end);
      }
      scope = '';
      return Object.keys(outputs);
    },
    nodes() {
      const state = stateNodes(specs, handleNodes);
      const kept = new Set(needed([...ends, ...state]));
      return [...recorded.filter((node) => kept.has(node)), ...state];
    },
  };
}

/**
 * TensorFlow's remapper (2.21, CPU) trips over a convolution, bias, addition and ReLU in a row and gives up on the
 * whole graph. An addition that waits for some node is left alone.
 */
function keepFromRemapper(node: GraphNode, handle: GraphNode | undefined): void {
  if (node.op === 'AddV2' && node.outputs[0].shape.length > 1 && handle) node.controls.push(handle);
}

const READ = 'ReadVariableOp';

/** Puts a node that touches variables behind what it has to see. */
function orderAccess(node: GraphNode, accesses: Map<GraphNode, Access>): void {
  for (const { node: handle } of node.inputs) {
    if (handle.op !== 'VarHandleOp') continue;
    const access = accesses.get(handle) ?? { reads: [] };
    if (access.write) node.controls.push(access.write);
    if (node.op === READ) {
      access.reads.push(node);
    } else {
      node.controls.push(...access.reads);
      access.write = node;
      access.reads = [];
    }
    accesses.set(handle, access);
  }
}

function digest(values: Values): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return bytes.length <= 64 ? Buffer.from(bytes).toString('hex') : createHash('sha256').update(bytes).digest('hex');
}
