/** Runs of the training loop on thirty digits, op by op: for what happens around the steps. */

import { join } from 'node:path';
import type { Test } from 'tap';
import { startEngine } from '../../../src/core/backend/engine.js';
import { resolveConfig } from '../../../src/core/config/resolve.js';
import { openDataset } from '../../../src/core/data/dataset/dataset.js';
import { readJsonl } from '../../../src/core/formats/jsonl.js';
import { beginRun, runFolder } from '../../../src/core/run/run-folder.js';
import type { EvaluationLine } from '../../../src/core/train/evaluation/evaluation-line.js';
import { trainLoop } from '../../../src/core/train/loop.js';
import type { LoopSettings } from '../../../src/core/train/loop-settings.js';
import { digits } from '../../commands/run.js';

export const engine = await startEngine({ threads: 1 });

/** Runs of this many steps, each a folder of the test's own; what is not set is not done before the end. */
export async function loops(t: Test, steps: number) {
  const dir = t.testdir();
  const dataset = await openDataset(await digits(join(dir, 'data'), 30));
  t.teardown(() => dataset.close());
  const config = resolveConfig({ preset: 'tiny', steps, precision: 'float32' });
  const folder = (name: string) => runFolder(join(dir, name));
  return {
    dataset,
    config,
    folder,
    async train(name: string, settings: Partial<LoopSettings>) {
      await beginRun(folder(name).path, config);
      return trainLoop({
        ...{ engine, execution: 'eager', config, dataset, folder: folder(name), keep: Infinity, tensorboard: false },
        ...{ logEvery: 100, sampleEvery: 100, checkpointEvery: 100, stopped: () => false, on: () => {} },
        ...settings,
      });
    },
    /** Of metrics.jsonl, but for how long they took. */
    async evaluations(name: string) {
      const lines = await readJsonl<EvaluationLine>(folder(name).metrics);
      return lines.map(({ seconds: _, ...line }) => line);
    },
  };
}
