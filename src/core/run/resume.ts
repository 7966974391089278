/** Where a run goes on: its newest checkpoint that is sound. */
import { rename } from 'node:fs/promises';
import type { VariableSpec, VariableValues } from '../backend/variables.js';
import { DamagedFile, UserError } from '../errors.js';
import { readCheckpoint } from './checkpoint.js';
import type { CheckpointHeader } from './checkpoint-header.js';
import { listCheckpoints } from './run-folder.js';

export interface ResumePoint extends CheckpointHeader {
  checkpoint: string;
  values: VariableValues;
  /** What is wrong with newer ones, and where they have been put. */
  damaged: { problem: string; path: string }[];
}

/**
 * Reads the newest checkpoint; damaged ones are passed over, and renamed to `….damaged` once an older one is found
 * sound. Undefined if there is no checkpoint; if all are damaged, that is an error and nothing is renamed.
 */
export async function readResumePoint(run: string, specs: readonly VariableSpec[]): Promise<ResumePoint | undefined> {
  const problems: { path: string; problem: string }[] = [];
  for (const { path } of (await listCheckpoints(run)).reverse()) {
    try {
      const read = await readCheckpoint(path, specs);
      return { ...read, checkpoint: path, damaged: await Promise.all(problems.map(putAside)) };
    } catch (error) {
      if (!(error instanceof DamagedFile)) throw error;
      problems.push({ path, problem: error.message });
    }
  }
  if (problems.length === 0) return undefined;
  throw new UserError(`no checkpoint of ${run} can be read: ${problems.map(({ problem }) => problem).join('; ')}`, {
    hint: 'put back a sound copy of one, or begin again in another --run',
  });
}

async function putAside({ path, problem }: { path: string; problem: string }) {
  const aside = `${path}.damaged`;
  await rename(path, aside);
  return { problem, path: aside };
}
