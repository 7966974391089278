import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { preset } from '../../../src/core/config/presets.js';
import { bestCheckpoint, copyFile, markBest } from '../../../src/core/run/best-checkpoint.js';
import { saveCheckpoint } from '../../../src/core/run/checkpoint.js';
import { findCheckpoint, listCheckpoints, pruneCheckpoints, runFolder } from '../../../src/core/run/run-folder.js';

async function runOf(t: Test, steps: number[]) {
  const folder = runFolder(t.testdir({ checkpoints: {} }));
  for (const step of steps) {
    await saveCheckpoint(folder.checkpoint(step), new Map([['w', { shape: [1], data: Float32Array.of(step) }]]), {
      step,
      config: preset('tiny'),
    });
  }
  return folder;
}

t.test('the best is another name of its checkpoint, and outlives pruning', async (t) => {
  const folder = await runOf(t, [2, 4, 6]);
  const bytes = readFileSync(folder.checkpoint(4));
  await markBest(folder, 4);
  t.equal(statSync(folder.best).ino, statSync(folder.checkpoint(4)).ino, 'it takes no room');
  t.equal(await bestCheckpoint(folder, 4), folder.best);
  t.equal(await bestCheckpoint(folder, 2), undefined);
  await pruneCheckpoints(folder.path, 1);
  t.same(
    (await listCheckpoints(folder.path)).map(({ step }) => step),
    [6],
    'it is not listed',
  );
  t.equal(await findCheckpoint({ run: folder.path }), folder.checkpoint(6), 'it is not the newest');
  t.ok(readFileSync(folder.best).equals(bytes));
});

t.test('another one takes its place; the same again changes nothing and leaves nothing behind', async (t) => {
  const folder = await runOf(t, [2, 4]);
  await markBest(folder, 2);
  await markBest(folder, 4);
  await markBest(folder, 4);
  t.equal(await bestCheckpoint(folder, 4), folder.best);
  t.same(readdirSync(join(folder.path, 'checkpoints')).sort(), [
    '00000002.safetensors',
    '00000004.safetensors',
    'best.safetensors',
  ]);
});

t.test('a checkpoint that is gone leaves the best as it is', async (t) => {
  const folder = await runOf(t, [2]);
  await markBest(folder, 2);
  rmSync(folder.checkpoint(2));
  await markBest(folder, 2);
  t.equal(await bestCheckpoint(folder, 2), folder.best);
  t.equal(await bestCheckpoint(runFolder(t.testdir()), 2), undefined);
});

t.test('where links are not to be had, it is a copy', async (t) => {
  const dir = t.testdir({ old: 'x' });
  const bytes = Buffer.alloc(3_000_001, 'checkpoint');
  writeFileSync(join(dir, 'source'), bytes);
  await copyFile(join(dir, 'source'), join(dir, 'old'));
  t.ok(readFileSync(join(dir, 'old')).equals(bytes));
  t.same(readdirSync(dir).sort(), ['old', 'source']);
});
