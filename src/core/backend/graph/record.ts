/** Functions as parts of one graph. */
import { withExecutor } from '../executor.js';
import type { GraphFunction } from '../graph-function.js';
import type { VariableSpec } from '../variables.js';
import type { GraphNode } from './graph.js';
import { graphDef } from './graph-def.js';
import { createRecorder } from './recorder.js';

export const inputNode = (name: string, key: string) => `${name}/inputs/${key}`;
export const outputNode = (name: string, key: string) => `${name}/outputs/${key}`;

export interface RecordedFunctions {
  /** With what reads and sets the state. */
  nodes: GraphNode[];
  /** Names of each function's outputs. */
  outputs: Map<string, string[]>;
}

/** Records each function once, over the same variables, without executing anything. */
export function recordFunctions(
  specs: readonly VariableSpec[],
  functions: Record<string, GraphFunction>,
): RecordedFunctions {
  const recorder = createRecorder(specs);
  const outputs = new Map<string, string[]>();
  withExecutor(recorder, () => {
    for (const [name, { inputs, run }] of Object.entries(functions)) {
      const named = recorder.record(name, () => {
        const given = Object.entries(inputs).map(
          ([key, spec]) => [key, recorder.placeholder(inputNode(name, key), spec)] as const,
        );
        return run(Object.fromEntries(given), recorder.variables);
      });
      outputs.set(name, named);
    }
  });
  return { nodes: recorder.nodes(), outputs };
}

/**
 * The same, recorded twice: what would change from one recording to the next would be frozen into the graph.
 * @throws when the graphs' bytes differ
 */
export function recordSafely(
  specs: readonly VariableSpec[],
  functions: Record<string, GraphFunction>,
): RecordedFunctions {
  const [recorded, again] = [recordFunctions(specs, functions), recordFunctions(specs, functions)];
  if (!Buffer.from(graphDef(recorded.nodes)).equals(graphDef(again.nodes))) {
    throw new Error(
      'two recordings of the same functions differ: something besides their inputs and variables goes into them',
    );
  }
  return recorded;
}
