import t from 'tap';
import { join } from 'node:path';
import { startEngine } from '../../../src/core/backend/engine.js';
import { openDataset } from '../../../src/core/data/dataset.js';
import { sha256File } from '../../../src/core/formats/digest.js';
import { readJsonl } from '../../../src/core/formats/jsonl.js';
import type { EvaluationLine } from '../../../src/core/train/evaluate.js';
import { type LoopEvent, trainLoop } from '../../../src/core/train/loop.js';
import { resolveConfig } from '../../../src/core/train/resolve.js';
import { beginRun, runFolder } from '../../../src/core/train/run-folder.js';
import { digits } from '../../commands/run.js';

const STEPS = 6;

const dir = t.testdir();
const engine = await startEngine({ threads: 1 });
const dataset = await openDataset(await digits(join(dir, 'data'), 30));
t.teardown(() => dataset.close());
const config = resolveConfig({ preset: 'tiny', steps: STEPS, precision: 'float32' });
const lines = async (name: string) => (await readJsonl<EvaluationLine>(runFolder(join(dir, name)).metrics)).map(({ seconds: _, ...line }) => line);

/** Trains until an event for which `stop` is true. */
async function train(name: string, stop: (event: LoopEvent) => boolean = () => false) {
  const folder = runFolder(join(dir, name));
  await beginRun(folder.path, config);
  let stopped = false;
  return trainLoop({
    ...{ engine, execution: 'traced', config, dataset, folder, keep: 3, tensorboard: false },
    ...{ logEvery: 100, sampleEvery: 100, checkpointEvery: 100 },
    evaluation: { every: 3, dataset, images: 20, names: ['encoder', 'reconstruct'], select: 'reconstruction' },
    stopped: () => stopped,
    on: (event) => (stopped ||= stop(event)),
  });
}

await train('whole');

t.test('an evaluation that is broken off is made when the run goes on, before its next step', async (t) => {
  const first = await train('broken', (event) => event.kind === 'step' && event.step === 3);
  t.match(first, { step: 3, finished: false, stoppedEarly: false, best: undefined });
  t.same(await lines('broken'), [], 'it was due, and stopped');
  const order: string[] = [];
  const second = await train('broken', (event) => {
    if (event.kind === 'step') order.push(`step ${event.step}`);
    if (event.kind === 'evaluated') order.push(`evaluated ${event.line.step}`);
    return false;
  });
  t.same(order, ['evaluated 3', 'step 4', 'step 5', 'step 6', 'evaluated 6']);
  t.same(await lines('broken'), await lines('whole'));
  t.equal(await sha256File(second.best!.checkpoint!), await sha256File(runFolder(join(dir, 'whole')).best));
});

t.test('that of the last step is made whatever stops the run', async (t) => {
  const { finished } = await train('late', (event) => event.kind === 'step' && event.step === STEPS);
  t.equal(finished, true);
  t.same(await lines('late'), await lines('whole'));
});
