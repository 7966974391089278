/** What a SavedModel offers by name: TensorFlow's SignatureDef (tensorflow/core/protobuf/meta_graph.proto). */
import {
  bytesField,
  type Field,
  mapField,
  message,
  stringField,
  varintField,
} from '../../formats/tensorflow/protobuf.js';
import { TF_DTYPE } from '../tensor.js';
import type { GraphNode } from './graph.js';
import { shapeProto } from './graph-def.js';

export interface GraphSignature {
  /** Nodes whose first output is meant, by the names that callers use. */
  inputs: Record<string, GraphNode>;
  outputs: Record<string, GraphNode>;
}

/** As fields of MetaGraphDef. */
export function signatureFields(signatures: Record<string, GraphSignature>): Field[] {
  return Object.entries(signatures).map(([name, { inputs, outputs }]) =>
    mapField(
      5,
      name,
      message([...tensorInfos(1, inputs), ...tensorInfos(2, outputs), stringField(3, 'tensorflow/serving/predict')]),
    ),
  );
}

function tensorInfos(field: number, nodes: Record<string, GraphNode>): Field[] {
  return Object.entries(nodes).map(
    ([
      key,
      {
        name,
        outputs: [{ shape, dtype }],
      },
    ]) => {
      const info = message([
        stringField(1, `${name}:0`),
        varintField(2, TF_DTYPE[dtype]),
        bytesField(3, shapeProto(shape)),
      ]);
      return mapField(field, key, info);
    },
  );
}
