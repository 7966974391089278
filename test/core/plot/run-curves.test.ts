import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { keysOf, panelsOf, usualPanels } from '../../../src/core/plot/keys.js';
import { axisOf, readRunCurves } from '../../../src/core/plot/run-curves.js';

const lines = (records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');
const speed = { seconds_per_step: 3, data_wait_per_step: 0.6 };
const config = { preset: 'tiny', seed: 3, model: { latent: 4 }, train: {} };

const dir = t.testdir({
  run: {
    'config.json': JSON.stringify(config),
    'log.jsonl': lines([
      {
        step: 100,
        epoch: 0.5,
        loss_d: 5,
        loss_eg: 1,
        score_x_encoder: 0.1,
        score_x_generator: 0.2,
        collapse: ['x'],
        ...speed,
      },
      { step: 101, rollback: { failed: 150, term: 'loss_d is NaN', to: 100, try: 1 } },
      { step: 200, epoch: 1, loss_d: 4, loss_eg: null, ...speed, seconds_per_step: 6.6, data_wait_per_step: 0.6 },
    ]),
    'metrics.jsonl': lines([
      {
        step: 200,
        epoch: 1,
        knn: { top1: { 1: 0.5, 25: 0.6 } },
        linear_probe: { top1: 0.7, top5: 0.9 },
        fid: { frechet_distance: 9 },
        protocol: { images: 9 },
        seconds: 4,
      },
      { step: 100, epoch: 0.5, knn: { top1: { 1: 0.4, 25: 0.5 } } },
      { step: 200, knn: { top1: { 1: 0.55 } } },
    ]),
  },
  empty: { 'config.json': '{}', 'log.jsonl': '' },
  inception: { 'metrics.jsonl': lines([{ step: 1, fid: { frechet_distance: 9, fid: 9 } }]) },
  stepless: { 'log.jsonl': '{"step":1,"a":2}\n{"a":1}\n' },
  list: { 'log.jsonl': '[1]\n' },
  null: { 'log.jsonl': 'null\n' },
  damaged: { 'log.jsonl': '{"step":1,"a":1}\n{"ste\n' },
});
const run = await readRunCurves(join(dir, 'run'));

t.test('numbers of both files by step', async (t) => {
  t.equal(run.seed, 3);
  t.same({ seed: 3, ...JSON.parse(run.settings!) }, { ...config }, 'all but the seed');
  t.notOk('seed' in JSON.parse(run.settings!));
  t.same(run.curves.get('loss_d'), { steps: [100, 200], values: [5, 4] });
  t.same(run.curves.get('loss_eg'), { steps: [100], values: [1] }, 'what is no number is left out');
  t.same(
    run.curves.get('knn.top1.1'),
    { steps: [100, 200], values: [0.4, 0.55] },
    'in the order of steps; the later line counts',
  );
  t.same(run.curves.get('knn.top1.25'), { steps: [100, 200], values: [0.5, 0.6] });
  t.same(
    [...run.curves.keys()].filter((key) => /protocol|rollback/.test(key)),
    [],
  );
  t.ok(run.evaluated.has('linear_probe.top1') && !run.evaluated.has('loss_d') && !run.evaluated.has('epoch'));
});

t.test('a line that is being written is not there yet', async (t) => {
  const log = join(dir, 'stepless', 'log.jsonl');
  writeFileSync(log, '{"step":1,"a":2}\n{"step":2,"a');
  t.same((await readRunCurves(join(dir, 'stepless'))).curves.get('a'), { steps: [1], values: [2] });
  writeFileSync(log, '{"step":1,"a":2}\n{"a":1}\n');
});

t.test('what is not a run', async (t) => {
  const fails = (name: string, message: RegExp) =>
    t.rejects(readRunCurves(join(dir, name)), { name: 'UserError', message });
  await fails('nowhere', /there is no run at .*nowhere/);
  await fails('run/log.jsonl', /expected the folder of a run for RUN, got the file/);
  await fails('empty', /has no line in its log yet/);
  await fails('stepless', /expected a step for line 2 of .*log.jsonl, got \{"a":1\}/);
  await fails('list', /expected a step for line 1/);
  await fails('null', /expected a step for line 1/);
  await fails('damaged', /expected a JSON object for line 2/);
});

t.test('axes', async (t) => {
  const at = (axis: 'step' | 'epoch' | 'hours', ...steps: number[]) =>
    steps.map((step) => Number(axisOf(run, axis)(step).toFixed(9)));
  t.same(at('step', 7, 200), [7, 200]);
  t.same(at('epoch', 0, 50, 100, 150, 200, 300), [0, 0.25, 0.5, 0.75, 1, 1.5]);
  // 100 steps of 3.6 s are 0.1 hours, 100 of 7.2 s are 0.2.
  t.same(at('hours', 0, 50, 100, 150, 200, 250), [0, 0.05, 0.1, 0.2, 0.3, 0.4]);
  const other = await readRunCurves(join(dir, 'inception'));
  t.throws(() => axisOf(other, 'hours'), { message: /expected seconds_per_step for --x hours in the log of/ });
});

t.test('keys and panels', async (t) => {
  t.equal(keysOf([run]).indexOf('loss_d'), 1, 'those of the log first');
  t.same(usualPanels([run]), [
    ['loss_d', 'loss_eg'],
    ['score_x_encoder', 'score_x_generator'],
    ['knn.top1.1', 'knn.top1.25'],
    ['linear_probe.top1'],
    ['fid.frechet_distance'],
  ]);
  t.same(usualPanels([await readRunCurves(join(dir, 'inception'))]), [['fid.fid']], 'the same number once');
  t.same(panelsOf('loss_eg+loss_d,knn*', [run]), [['loss_eg', 'loss_d'], ['knn.top1.1'], ['knn.top1.25']]);
  t.same(panelsOf('loss_*+loss_d', [run]), [['loss_d', 'loss_eg']]);
  for (const none of ['loss', 'loss_d,', 'loss.d', 'epoch+loss(', '']) {
    t.throws(() => panelsOf(none, [run]), { name: 'UserError', exitCode: 2, message: /no run has the key/ }, none);
  }
});
