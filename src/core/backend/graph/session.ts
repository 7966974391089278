/** A graph in TensorFlow: loaded once, its state in variables, run by naming what is fed and fetched. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../engine.js';
import type { Values } from '../executor.js';
import { type DType, TF_DTYPE } from '../tensor.js';
import type { GraphNode } from './graph.js';
import { savedModel } from './graph-def.js';

const TAG = 'serve';

export interface Feed {
  node: string;
  shape: readonly number[];
  dtype: DType;
  values: Values;
}

export interface Session {
  /** Runs what the fetched nodes need; their first outputs come back in order. */
  run(feeds: readonly Feed[], fetches: readonly string[]): Values[];
  close(): void;
}

/** TensorFlow reads graphs from a folder in the form of a SavedModel; the folder is gone when this returns. */
export function openSession(engine: Engine, nodes: readonly GraphNode[]): Session {
  const { binding } = engine;
  const folder = mkdtempSync(join(tmpdir(), 'bigbigan-graph-'));
  let session: number;
  try {
    writeFileSync(join(folder, 'saved_model.pb'), savedModel(nodes, TAG));
    session = binding.loadSavedModel(folder, TAG);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    run(feeds, fetches) {
      const ids = feeds.map(({ shape, dtype, values }) => binding.createTensor([...shape], TF_DTYPE[dtype], values));
      const feedNames = feeds.map(({ node }) => `${node}:0`).join(',');
      const fetchNames = fetches.map((name) => `${name}:0`).join(',');
      try {
        const outputs = binding.runSavedModel(session, ids, feedNames, fetchNames);
        const values = outputs.map(({ id }) => binding.tensorDataSync(id) as Values);
        for (const { id } of outputs) binding.deleteTensor(id);
        return values;
      } finally {
        for (const id of ids) binding.deleteTensor(id);
      }
    },
    close: () => binding.deleteSavedModel(session),
  };
}
