import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { resolveConfig } from '../../../src/core/config/resolve.js';
import { UserError } from '../../../src/core/errors.js';
import { checkData, checkSameRun } from '../../../src/core/run/checks.js';
import { keepLogUntil } from '../../../src/core/run/log.js';
import {
  beginRun,
  findCheckpoint,
  listCheckpoints,
  readRunConfig,
  runFolder,
} from '../../../src/core/run/run-folder.js';

const config = (...settings: string[]) => resolveConfig({ preset: 'tiny', settings });

t.test('names of the files', async (t) => {
  const folder = runFolder('r');
  t.equal(folder.checkpoint(1200), join('r', 'checkpoints', '00001200.safetensors'));
  t.equal(folder.samples(5, 0), join('r', 'samples', '00000005-seed0.png'));
  t.equal(folder.log, join('r', 'log.jsonl'));
});

t.test('a new run, and its config again', async (t) => {
  const run = join(t.testdir(), 'a', 'run');
  t.equal(await readRunConfig(run), undefined);
  await beginRun(run, config());
  t.same(await readRunConfig(run), config());
  await beginRun(t.testdir({}), config());
});

t.test('a folder with other things is left alone', async (t) => {
  const run = t.testdir({ 'thesis.tex': 'precious' });
  await t.rejects(beginRun(run, config()), { name: 'UserError', message: /thesis\.tex/ });
  t.equal(await readFile(join(run, 'thesis.tex'), 'utf8'), 'precious');
});

t.test('a file in place of the folder, a broken config', async (t) => {
  const dir = t.testdir({ file: '', 'config.json': '{' });
  await t.rejects(readRunConfig(join(dir, 'file')), { name: 'UserError', message: /expected a folder/ });
  await t.rejects(readRunConfig(dir), { name: 'UserError', message: /config\.json/ });
});

t.test('the newest checkpoint is the one of the most steps', async (t) => {
  const names = ['00000010', '00000009', '100000000', 'latest', '5'];
  const checkpoints = Object.fromEntries([
    ...names.map((name) => [`${name}.safetensors`, '']),
    ['.00000999.safetensors.1-a.tmp', ''],
  ]);
  const run = t.testdir({ checkpoints });
  t.same(
    (await listCheckpoints(run)).map(({ step }) => step),
    [9, 10, 100000000],
  );
  t.equal(await findCheckpoint({ run }), join(run, 'checkpoints', '100000000.safetensors'));
  t.equal(await findCheckpoint({ checkpoint: 'x' }), 'x');
  t.same(await listCheckpoints(join(run, 'nowhere')), []);
});

t.test('runs without checkpoints, and no runs', async (t) => {
  const run = (checkpoints = {}) => ({ 'config.json': '{}', checkpoints });
  const trained = run({ '00000002.safetensors': '', '00000004.safetensors': '' });
  const dir = t.testdir({
    run: run(),
    runs: { b: run(), a: trained, notes: {} },
    data: { 'dataset.json': '{}' },
    empty: {},
    file: '',
  });
  const fails = (source: Parameters<typeof findCheckpoint>[0], message: RegExp, hint?: RegExp) =>
    t.rejects(findCheckpoint(source), { name: 'UserError', message, ...(hint && { hint }) });
  const at = (name: string) => join(dir, name);
  await fails({ run: at('run') }, /the run .*run has no checkpoint yet/);
  await fails({ run: at('nowhere') }, /no run at/);
  await fails({ run: at('file') }, /--run, got the file/, /--checkpoint/);
  await fails({ run: at('data') }, /the folder of a run for --run, got .*data, a dataset made by bigbigan prep-data/);
  await fails({ run: at('runs') }, /runs, which holds the runs a, b$/, /such as .*runs\/a$/);
  await fails({ run: at('run/checkpoints') }, /a folder within a run/, /name the run: .*run$/);
  await fails({ run: at('empty') }, /which holds no run/);
  await fails({ checkpoint: at('run') }, /a checkpoint file for --checkpoint, got the run/, /--run .*run$/);
  await fails({ checkpoint: at('runs/a/checkpoints') }, /got the folder/, /such as .*00000004\.safetensors$/);
  await fails({ checkpoint: at('empty') }, /got the folder/, /\.safetensors file/);
});

t.test('lines of the log after the step that training continues from are dropped', async (t) => {
  const path = join(t.testdir(), 'log.jsonl');
  await keepLogUntil(path, 3);
  await writeFile(path, `${[2, 4, 6].map((step) => `{"step":${step}}\n`).join('')}{"step":`);
  await keepLogUntil(path, 6);
  t.match(await readFile(path, 'utf8'), /"step":6}\n/);
  await keepLogUntil(path, 5);
  t.equal(await readFile(path, 'utf8'), '{"step":2}\n{"step":4}\n');
  await keepLogUntil(path, 0);
  t.equal(await readFile(path, 'utf8'), '');
});

t.test('a run continues with its own settings alone; more steps are allowed', async (t) => {
  checkSameRun('r', config(), config('train.steps=99'));
  for (const [setting, key] of [
    ['train.batchSize=4', 'train.batchSize'],
    ['model.encoder.units=1,2,1', 'model.encoder.units'],
    ['seed=1', 'seed'],
  ]) {
    t.throws(() => checkSameRun('r', config(), config(setting)), {
      name: 'UserError',
      exitCode: 2,
      message: new RegExp(`begun with ${key} = `),
    });
  }
  const { flip: _, ...older } = config().train;
  t.throws(() => checkSameRun('r', { ...config(), train: older as never }, config()), {
    name: 'UserError',
    message: /train\.flip/,
  });
});

t.test('data that do not fit', async (t) => {
  const data = { path: 'd', height: 32, width: 32, channels: 1 as const, count: 100 };
  checkData(data, config());
  for (const [other, words] of [
    [{ height: 28, width: 28 }, /32×32×1.*28×28×1/],
    [{ width: 64 }, /32×32×1.*32×64×1/],
    [{ channels: 3 as const }, /32×32×1.*32×32×3/],
    [{ count: 7 }, /one batch of 8 images.*7/],
  ] as const) {
    t.throws(() => checkData({ ...data, ...other }, config()), { message: words });
    t.throws(() => checkData({ ...data, ...other }, config()), UserError);
  }
});
