/** A graph of a SavedModel, whatever made it, with its variables restored. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expected } from '../errors.js';
import { exists } from '../formats/exists.js';
import { type MetaGraph, metaGraphBytes } from '../formats/tensorflow/saved-model.js';
import type { Engine } from './engine.js';
import { restoringModel } from './graph/restore.js';
import { loadSession, type Session } from './graph/session.js';

/** @throws UserError when TensorFlow cannot load it. */
export async function loadGraph(engine: Engine, dir: string, graph: MetaGraph): Promise<Session> {
  const needsRestoring = !graph.restores && (await exists(join(dir, 'variables', 'variables.index')));
  const restoring = needsRestoring ? restoringModel(await metaGraphBytes(dir, graph), dir) : undefined;
  try {
    return restoring ? loadBeside(engine, dir, restoring, graph.tags) : loadSession(engine, dir, graph.tags);
  } catch (error) {
    throw expected('a SavedModel that TensorFlow loads', dir, (error as Error).message.split('\n')[0]);
  }
}

/** From a folder with another graph and the same variables. */
function loadBeside(engine: Engine, dir: string, model: Uint8Array, tags: readonly string[]): Session {
  const folder = mkdtempSync(join(tmpdir(), 'bigbigan-model-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), model);
    symlinkSync(resolve(dir, 'variables'), join(folder, 'variables'));
    return loadSession(engine, folder, tags);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
