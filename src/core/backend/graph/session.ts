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
  /** A node, whose first output is meant, or NODE:OUTPUT. */
  node: string;
  shape: readonly number[];
  dtype: DType;
  values: Values;
}

export interface Session {
  /** Runs what the fetched nodes need, named as in a feed; their outputs come back in order. */
  run(feeds: readonly Feed[], fetches: readonly string[]): Values[];
  close(): void;
}

/** TensorFlow reads graphs from a folder in the form of a SavedModel; the folder is gone when this returns. */
export function openSession(engine: Engine, nodes: readonly GraphNode[]): Session {
  const folder = mkdtempSync(join(tmpdir(), 'bigbigan-graph-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), savedModel(nodes, TAG));
    return loadSession(engine, folder, [TAG]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The graph with exactly these tags of a SavedModel. */
export function loadSession({ binding }: Engine, folder: string, tags: readonly string[]): Session {
  const session = binding.loadSavedModel(folder, tags.join(','));
  return {
    run(feeds, fetches) {
      const ids = feeds.map(({ shape, dtype, values }) => binding.createTensor([...shape], TF_DTYPE[dtype], values));
      const feedNames = feeds.map(({ node }) => tensorName(node)).join(',');
      const fetchNames = fetches.map(tensorName).join(',');
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

const tensorName = (node: string) => (node.includes(':') ? node : `${node}:0`);
