import t from 'tap';
import { sha256File } from '../../../../src/core/formats/digest.js';
import type { LoopEvent } from '../../../../src/core/train/loop-settings.js';
import { loops } from '../loops.js';

const STEPS = 6;
const { dataset, folder, train: trainRun, evaluations } = await loops(t, STEPS);

/** Trains until an event for which `stop` is true. */
async function train(name: string, stop: (event: LoopEvent) => boolean = () => false) {
  let stopped = false;
  return trainRun(name, {
    evaluation: { every: 3, dataset, images: 20, names: ['encoder', 'reconstruct'], select: 'reconstruction' },
    stopped: () => stopped,
    on: (event) => (stopped ||= stop(event)),
  });
}

await train('whole');

t.test('an evaluation that is broken off is made when the run goes on, before its next step', async (t) => {
  const first = await train('broken', (event) => event.kind === 'step' && event.step === 3);
  t.match(first, { step: 3, finished: false, stoppedEarly: false, best: undefined });
  t.same(await evaluations('broken'), [], 'it was due, and stopped');
  const order: string[] = [];
  const second = await train('broken', (event) => {
    if (event.kind === 'step') order.push(`step ${event.step}`);
    if (event.kind === 'evaluated') order.push(`evaluated ${event.line.step}`);
    return false;
  });
  t.same(order, ['evaluated 3', 'step 4', 'step 5', 'step 6', 'evaluated 6']);
  t.same(await evaluations('broken'), await evaluations('whole'));
  t.equal(await sha256File(second.best!.checkpoint!), await sha256File(folder('whole').best));
});

t.test('that of the last step is made whatever stops the run', async (t) => {
  const { finished } = await train('late', (event) => event.kind === 'step' && event.step === STEPS);
  t.equal(finished, true);
  t.same(await evaluations('late'), await evaluations('whole'));
});
