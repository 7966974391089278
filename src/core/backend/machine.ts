/**
 * Functions over variables, written once and run either way: eagerly, op by op, which is the reference; or traced,
 * each function recorded once and run as one call into TensorFlow.
 */
import type { Engine } from './engine.js';
import type { OutputSpec, Values } from './executor.js';
import { toBfloat16 } from './graph/bfloat16.js';
import { inputNode, outputNode, recordSafely } from './graph/record.js';
import { openSession } from './graph/session.js';
import { readState, restoreState } from './graph/state.js';
import type { GraphFunction } from './graph-function.js';
import { constant } from './ops.js';
import type { Precision } from './precision.js';
import { size } from './tensor.js';
import { allocate, type VariableSpec, type VariableValues } from './variables.js';

export type Execution = 'traced' | 'eager';

export interface Machine<Name extends string> {
  call(name: Name, inputs: Record<string, Values>): Record<string, Values>;
  /** All variables, for a checkpoint. */
  values(): VariableValues;
  dispose(): void;
}

export interface MachineSettings<Name extends string> {
  execution: Execution;
  /** Of traced execution; eager execution is float32 always. */
  precision: Precision;
  specs: readonly VariableSpec[];
  /** What each variable starts as. */
  values: VariableValues;
  /** Further variables, which start as zeros and are not among `values()`. */
  scratch?: readonly VariableSpec[];
  functions: Record<Name, GraphFunction>;
}

export function createMachine<Name extends string>(engine: Engine, settings: MachineSettings<Name>): Machine<Name> {
  return settings.execution === 'eager' ? eagerMachine(engine, settings) : tracedMachine(engine, settings);
}

function eagerMachine<Name extends string>(
  engine: Engine,
  { specs, values, scratch = [], functions }: MachineSettings<Name>,
): Machine<Name> {
  const start = new Map([...values, ...zerosFor(scratch)]);
  const variables = allocate(engine, [...specs, ...scratch], ({ name, shape }) =>
    constant(start.get(name)!.data.slice(), shape),
  );
  return {
    call: (name, inputs) =>
      engine.scope(() => {
        const given = Object.entries(functions[name].inputs).map(([key, { shape, dtype }]) => {
          return [key, engine.constant(inputs[key], shape, dtype)] as const;
        });
        const outputs = functions[name].run(Object.fromEntries(given), variables);
        return Object.fromEntries(
          Object.entries(outputs).map(([key, tensor]) => [key, engine.read(tensor).slice() as Values]),
        );
      }),
    values: () => variables.values(specs),
    dispose: variables.dispose,
  };
}

function tracedMachine<Name extends string>(
  engine: Engine,
  { specs, values, scratch = [], functions, precision }: MachineSettings<Name>,
): Machine<Name> {
  const { nodes, outputs } = recordSafely([...specs, ...scratch], functions);
  const session = openSession(engine, precision === 'bf16' ? toBfloat16(nodes) : nodes);
  restoreState(session, specs, values);
  restoreState(session, scratch, zerosFor(scratch));
  const names = new Set(nodes.map((node) => node.name));
  return {
    call(name, inputs) {
      const feeds = Object.entries<OutputSpec>(functions[name].inputs)
        .map(([key, spec]) => ({ node: inputNode(name, key), ...spec, values: inputs[key] }))
        // An input on which nothing depends is not part of the graph.
        .filter(({ node }) => names.has(node));
      const keys = outputs.get(name)!;
      const results = session.run(
        feeds,
        keys.map((key) => outputNode(name, key)),
      );
      return Object.fromEntries(keys.map((key, i) => [key, results[i]]));
    },
    values: () => readState(session, specs),
    dispose: session.close,
  };
}

const zerosFor = (specs: readonly VariableSpec[]): VariableValues =>
  new Map(specs.map(({ name, shape }) => [name, { shape, data: new Float32Array(size(shape)) }]));
