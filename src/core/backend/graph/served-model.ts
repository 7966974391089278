/**
 * A SavedModel for other programs: functions for batches of any size, with the weights as constants of the graph. The
 * usual folder of variables would need a checkpoint in TensorFlow's own format and nodes that restore it; constants
 * need neither, and what only depends on them is computed once, when the model is loaded.
 */
import { expected } from '../../errors.js';
import { lengthPrefix, varintField } from '../../formats/tensorflow/protobuf.js';
import type { GraphFunction } from '../graph-function.js';
import type { Precision } from '../precision.js';
import type { VariableSpec, VariableValues } from '../variables.js';
import { anyBatch } from './any-batch.js';
import { toBfloat16 } from './bfloat16.js';
import { freeze, variablesRead } from './freeze.js';
import { type GraphNode, needed } from './graph.js';
import { metaInfo, nodeField, SCHEMA, versionsField } from './graph-def.js';
import { inputNode, outputNode, recordFunctions } from './record.js';
import { type GraphSignature, signatureFields } from './signatures.js';

/** Of the usual size, since mixed precision looks at how large a tensor is. */
const BATCH_SIZES = [64, 65] as const;
/** A protocol buffer holds 2 GB at most; the difference is left for what is not weights. */
const LARGEST = 2 ** 31 - 2 ** 26;
const TAG = 'serve';

export interface ServedFunctions {
  nodes: GraphNode[];
  /** Of every function, under its name. */
  signatures: Record<string, GraphSignature>;
  /** The variables whose values are needed. */
  variables: Set<string>;
}

/** @param functionsFor for batches of `n` */
export function servedFunctions(
  specs: readonly VariableSpec[],
  functionsFor: (n: number) => Record<string, GraphFunction>,
  precision: Precision,
): ServedFunctions {
  const [one, other] = BATCH_SIZES.map((n) => {
    const { nodes, outputs } = recordFunctions(specs, functionsFor(n));
    const ends = new Set([...outputs].flatMap(([name, keys]) => keys.map((key) => outputNode(name, key))));
    const wanted = needed(nodes.filter(({ name }) => ends.has(name)));
    return { nodes: precision === 'bf16' ? toBfloat16(wanted) : wanted, outputs };
  });
  const nodes = anyBatch(one.nodes, other.nodes);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const pick = (keys: string[], nodeName: (key: string) => string) =>
    Object.fromEntries(keys.map((key) => [key, byName.get(nodeName(key))!] as const).filter(([, node]) => node));
  const signatures = [...one.outputs].map(([name, keys]) => {
    const inputs = pick(Object.keys(functionsFor(BATCH_SIZES[0])[name].inputs), (key) => inputNode(name, key));
    return [name, { inputs, outputs: pick(keys, (key) => outputNode(name, key)) }] as const;
  });
  return { nodes, signatures: Object.fromEntries(signatures), variables: variablesRead(nodes) };
}

/**
 * The bytes of saved_model.pb in parts. Nodes are encoded one at a time, and twice (lengths come first), so that no
 * more than one weight is in memory besides `values`.
 * @throws UserError when the weights are more than protocol buffers can hold
 */
export function* servedModel({ nodes, signatures }: ServedFunctions, values: VariableValues): Generator<Uint8Array> {
  const frozen = freeze(nodes, values);
  const weights = frozen.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0);
  if (weights > LARGEST) {
    throw expected(
      'weights of less than 2 GB',
      'a SavedModel that holds them in its graph',
      `${(weights / 1e9).toFixed(1)} GB`,
    );
  }
  const fields = { before: metaInfo(TAG), versions: versionsField(), signatures: signatureFields(signatures) };
  const graphLength = frozen.reduce((sum, node) => sum + nodeField(node).length, fields.versions.length);
  const graphPrefix = lengthPrefix(2, graphLength);
  const metaLength = [fields.before, graphPrefix, ...fields.signatures].reduce(
    (sum, { length }) => sum + length,
    graphLength,
  );
  yield varintField(1, SCHEMA);
  yield lengthPrefix(2, metaLength);
  yield fields.before;
  yield graphPrefix;
  for (const node of frozen) yield nodeField(node);
  yield fields.versions;
  yield* fields.signatures;
}
