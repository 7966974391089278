/**
 * Adds the nodes that restore variables to a graph whose checkpoint lies beside it and which has none, as in TF1 Hub's
 * modules: nodes that restore them (tensorflow/core/protobuf/{meta_graph,saver}.proto).
 */
import { expected } from '../../errors.js';
import {
  bytesField,
  type Field,
  mapField,
  message,
  stringField,
  varintField,
} from '../../formats/tensorflow/protobuf.js';
import { fieldsOf, text } from '../../formats/tensorflow/protobuf-reader.js';
import { SCHEMA, shapeProto } from './graph-def.js';

interface StoredVariable {
  name: string;
  /** TensorFlow's DataType. */
  dtype: number;
  isResource: boolean;
}

const [NODE, GRAPH, SAVER, COLLECTION] = [1, 2, 3, 4];
/** Collection of the variables that a checkpoint holds. */
const STORED = 'variables';
const REFERENCES = ['Variable', 'VariableV2'];
const DT_STRING = 7;
/** The checkpoint format of two files, an index and the data. */
const CHECKPOINT_V2 = 2;
const PREFIX = 'bigbigan_restore';

/**
 * A SavedModel of this graph alone that restores its variables when it is loaded. A message is extended by appending
 * to it: nodes of a second graph are added to those of the first.
 */
export function restoringModel(metaGraph: Uint8Array, what: string): Uint8Array {
  const variables = storedVariables(metaGraph, what);
  const saver = [
    stringField(1, `${PREFIX}/filename:0`),
    stringField(3, `${PREFIX}/all`),
    varintField(7, CHECKPOINT_V2),
  ];
  const additions = [bytesField(GRAPH, message(restoringNodes(variables))), bytesField(SAVER, message(saver))];
  return message([varintField(1, SCHEMA), bytesField(2, message([metaGraph, ...additions]))]);
}

/** The variables of the graph that are in its collection of global ones. */
function storedVariables(metaGraph: Uint8Array, what: string): StoredVariable[] {
  const stored = new Set<string>();
  const variables: StoredVariable[] = [];
  for (const { number, bytes } of fieldsOf(metaGraph, what)) {
    if (number === COLLECTION) for (const name of variableNames(bytes, what)) stored.add(name);
    if (number === GRAPH) {
      for (const field of fieldsOf(bytes, what))
        if (field.number === NODE) variables.push(...variableOf(field.bytes, what));
    }
  }
  const found = variables.filter(({ name }) => stored.has(name));
  if (found.length === 0) throw expected('variables in the graph', what, 'none that its checkpoint could fill');
  return found;
}

/** Of CollectionDef.bytes_list, each a VariableDef. */
function variableNames(collection: Uint8Array, what: string): string[] {
  const [key, value] = [...fieldsOf(collection, what)];
  if (!key || !value || text(key.bytes) !== STORED) return [];
  const lists = [...fieldsOf(value.bytes, what)].filter(({ number }) => number === 2);
  return lists.flatMap(({ bytes: list }) =>
    [...fieldsOf(list, what)].map(({ bytes: definition }) => {
      const name = [...fieldsOf(definition, what)].find(({ number }) => number === 1);
      return name ? text(name.bytes).replace(/:0$/, '') : '';
    }),
  );
}

/** A NodeDef as a variable, if it is one. */
function variableOf(node: Uint8Array, what: string): StoredVariable[] {
  const fields = [...fieldsOf(node, what)];
  const string = (wanted: number) => text(fields.find(({ number }) => number === wanted)?.bytes ?? new Uint8Array());
  const op = string(2);
  if (op !== 'VarHandleOp' && !REFERENCES.includes(op)) return [];
  for (const { number, bytes } of fields) {
    if (number !== 5) continue;
    const [key, value] = [...fieldsOf(bytes, what)];
    if (text(key.bytes) !== 'dtype') continue;
    const type = [...fieldsOf(value.bytes, what)].find((field) => field.number === 6);
    return [{ name: string(1), dtype: Number(type?.value), isResource: op === 'VarHandleOp' }];
  }
  return [];
}

function restoringNodes(variables: readonly StoredVariable[]): Field[] {
  const read = `${PREFIX}/read`;
  const assignments = variables.map(({ name, dtype, isResource }, i) => {
    const inputs = [name, i === 0 ? read : `${read}:${i}`];
    return isResource
      ? node(`${PREFIX}/assign${i}`, 'AssignVariableOp', inputs, { dtype: typeAttribute(dtype) })
      : node(`${PREFIX}/assign${i}`, 'Assign', inputs, { T: typeAttribute(dtype) });
  });
  const types = message([bytesField(1, message(variables.map(({ dtype }) => varintField(6, dtype))))]);
  return [
    strings(`${PREFIX}/filename`, [], ['']),
    strings(
      `${PREFIX}/names`,
      [variables.length],
      variables.map(({ name }) => name),
    ),
    strings(
      `${PREFIX}/slices`,
      [variables.length],
      variables.map(() => ''),
    ),
    node(read, 'RestoreV2', [`${PREFIX}/filename`, `${PREFIX}/names`, `${PREFIX}/slices`], { dtypes: types }),
    ...assignments,
    node(
      `${PREFIX}/all`,
      'NoOp',
      variables.map((_, i) => `^${PREFIX}/assign${i}`),
      {},
    ),
  ];
}

function node(name: string, op: string, inputs: readonly string[], attributes: Record<string, Uint8Array>): Field {
  const inputFields = inputs.map((input) => stringField(3, input));
  const attributeFields = Object.entries(attributes).map(([key, value]) => mapField(5, key, value));
  return bytesField(NODE, message([stringField(1, name), stringField(2, op), ...inputFields, ...attributeFields]));
}

function strings(name: string, shape: readonly number[], values: readonly string[]): Field {
  const valueFields = values.map((value) => stringField(8, value));
  const tensor = message([varintField(1, DT_STRING), bytesField(2, shapeProto(shape)), ...valueFields]);
  return node(name, 'Const', [], { dtype: typeAttribute(DT_STRING), value: message([bytesField(8, tensor)]) });
}

const typeAttribute = (dtype: number) => message([varintField(6, dtype)]);
