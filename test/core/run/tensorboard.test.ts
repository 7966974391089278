import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createEvents } from '../../../src/core/run/tensorboard.js';
import { eventsOf, shown } from '../../events.js';
import { fixture } from '../../paths.js';

const png = eventsOf(readFileSync(fixture('formats/reference.tfevents')))[3].values[0].png!;
const files = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.includes('tfevents'))
    .sort();

t.test('numbers of any record, under the names it has them', async (t) => {
  const dir = t.testdir();
  const events = createEvents(dir, 0, () => 1_700_000_000_000);
  t.same(files(dir), [], 'nothing before the first event');
  await events.numbers(50, 'train', { step: 50, loss_d: 2, collapse: ['score'], nothing: null, bad: NaN });
  await events.numbers(50, 'metrics', { step: 50, top1: { 1: 0.5, 25: 0.75 }, weights: 'average', list: [3, 4] });
  await events.picture(50, 'samples', png);
  t.match(files(dir), [/^events\.out\.tfevents\.1700000000\.\S+$/]);
  t.same(Object.fromEntries([...shown(dir)].map(([tag, steps]) => [tag, [...steps]])), {
    'train/loss_d': [[50, 2]],
    'metrics/top1.1': [[50, 0.5]],
    'metrics/top1.25': [[50, 0.75]],
    'metrics/list.0': [[50, 3]],
    'metrics/list.1': [[50, 4]],
    samples: [[50, png.length]],
  });
});

t.test('where a run goes on, later steps of earlier files are forgotten', async (t) => {
  const dir = t.testdir();
  // The clock stands still, and once goes back.
  const steps = async (from: number, to: number, value: number, clock = 1_700_000_000_000) => {
    const events = createEvents(dir, from, () => clock);
    for (let step = from + 1; step <= to; step++) await events.numbers(step, 'train', { loss: value });
  };
  await steps(0, 5, 1);
  await steps(3, 4, 2);
  await steps(4, 6, 3, 1_600_000_000_000);
  t.equal(files(dir).length, 3);
  t.same(
    [...shown(dir).get('train/loss')!],
    [
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 2],
      [5, 3],
      [6, 3],
    ],
  );
  await createEvents(dir, 3).numbers(9, 'train', { loss: 9 });
  t.same(
    [...shown(dir).get('train/loss')!.keys()],
    [1, 2, 3, 9],
    'up to the next step, though it is written at another interval',
  );
  await steps(0, 1, 4);
  t.same([...shown(dir).get('train/loss')!], [[1, 4]], 'a run that was killed before its first checkpoint');
});

t.test('a file that ends anywhere is read up to its last whole event', async (t) => {
  const dir = t.testdir();
  const events = createEvents(dir, 0);
  for (const step of [1, 2]) await events.numbers(step, 'train', { loss: step });
  await events.picture(2, 'samples', png);
  const path = join(dir, files(dir)[0]);
  const whole = readFileSync(path);
  const counts: number[] = [];
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    counts.push(eventsOf(readFileSync(path)).length);
  }
  t.ok(
    counts.every(
      (count, length) => length === 0 || count - counts[length - 1] === 0 || count - counts[length - 1] === 1,
    ),
  );
  t.equal(counts.at(-1), 5, 'version, start, two steps and a picture');
  appendFileSync(path, whole.subarray(0, 30));
  await createEvents(dir, 2).numbers(3, 'train', { loss: 3 });
  t.same([...shown(dir).get('train/loss')!.keys()], [1, 2, 3], 'the next process writes a file of its own');
});
