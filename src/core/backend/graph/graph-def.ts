/**
 * Writes a graph as TensorFlow's GraphDef inside a SavedModel
 * (tensorflow/core/framework/{graph,node_def,attr_value}.proto).
 */
import {
  bytesField,
  type Field,
  floatField,
  mapField,
  message,
  stringField,
  varintField,
} from '../../formats/tensorflow/protobuf.js';
import type { Attribute, Values } from '../executor.js';
import { type DType, TF_DTYPE } from '../tensor.js';
import type { Edge, GraphNode } from './graph.js';

/** Version of the GraphDef format: ops behave as TensorFlow 2.21 has them. */
const PRODUCER = 1882;
const MIN_CONSUMER = 12;
/** Version of the SavedModel format. */
export const SCHEMA = 1;

export function savedModel(nodes: readonly GraphNode[], tag: string): Uint8Array {
  const metaGraph = message([metaInfo(tag), bytesField(2, graphDef(nodes))]);
  return message([varintField(1, SCHEMA), bytesField(2, metaGraph)]);
}

export function graphDef(nodes: readonly GraphNode[]): Uint8Array {
  return message([...nodes.map((node) => nodeField(node)), versionsField()]);
}

/** A node as a field of GraphDef. */
export function nodeField(node: GraphNode): Field {
  return bytesField(1, nodeDef(node));
}

/** The last field of GraphDef. */
export function versionsField(): Field {
  return bytesField(4, message([varintField(1, PRODUCER), varintField(2, MIN_CONSUMER)]));
}

/** The first field of MetaGraphDef. */
export function metaInfo(tag: string): Field {
  return bytesField(1, message([stringField(4, tag)]));
}

function nodeDef(node: GraphNode): Uint8Array {
  const inputs = node.inputs.map(({ node: source, output }: Edge) =>
    output === 0 ? source.name : `${source.name}:${output}`,
  );
  const controls = [...new Set(node.controls)].map((control) => `^${control.name}`);
  const attributes = Object.entries(node.attributes).map(([name, value]) => mapField(5, name, attributeValue(value)));
  const value = node.value ? [mapField(5, 'value', message([bytesField(8, tensorProto(node))]))] : [];
  return message([
    stringField(1, node.name),
    stringField(2, node.op),
    ...[...inputs, ...controls].map((input) => stringField(3, input)),
    ...attributes,
    ...value,
  ]);
}

function attributeValue(attribute: Attribute): Uint8Array {
  switch (attribute.kind) {
    case 'type':
      return message([varintField(6, TF_DTYPE[attribute.value])]);
    case 'int':
      return typeof attribute.value === 'number'
        ? message([varintField(3, attribute.value)])
        : message([bytesField(1, message(attribute.value.map((item) => varintField(3, item))))]);
    case 'float':
      return message([floatField(4, attribute.value)]);
    case 'bool':
      return message([varintField(5, attribute.value ? 1 : 0)]);
    case 'string':
      return message([stringField(2, attribute.value)]);
    case 'shape':
      return message([bytesField(7, shapeProto(attribute.value))]);
  }
}

export function shapeProto(shape: readonly number[]): Uint8Array {
  return message(shape.map((size) => bytesField(2, message([varintField(1, size)]))));
}

/** A constant of equal elements is written once: TensorFlow spreads a single value over the shape. */
function tensorProto({ value, outputs: [{ shape, dtype }] }: GraphNode): Uint8Array {
  const fields: Field[] = [varintField(1, TF_DTYPE[dtype]), bytesField(2, shapeProto(shape))];
  const values = value!;
  const uniform = values.length > 0 && values.every((item: number) => Object.is(item, values[0]));
  if (uniform && (dtype === 'float32' || dtype === 'int32')) {
    fields.push(dtype === 'float32' ? floatField(5, values[0]) : varintField(7, values[0]));
  } else {
    fields.push(bytesField(4, bytesOf(values, dtype)));
  }
  return message(fields);
}

function bytesOf(values: Values, dtype: DType): Uint8Array {
  if (dtype === 'bool') return Uint8Array.from(values, (item) => (item ? 1 : 0));
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
