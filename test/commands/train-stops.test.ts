/** How training ends before its last step, and what keeps two processes from training one run. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readdirSync, watch } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sha256File } from '../../src/core/formats/digest.js';
import { readSafetensors, writeSafetensors } from '../../src/core/formats/safetensors.js';
import { verifyCheckpoint } from '../../src/core/run/checkpoint.js';
import { bigbigan, root, run as runProgram } from '../paths.js';
import { AS_GRAPH, digits, SETTINGS, succeed } from './run.js';

const dir = t.testdir();
const data = await digits(join(dir, 'data'));
const run = (name: string) => join(dir, name);
const program = join(root, 'bin', 'bigbigan.js');
const args = (name: string, ...more: string[]) => ['train', '--data', data, '--run', run(name), ...SETTINGS, ...more];
const checkpoints = (name: string) => readdirSync(join(run(name), 'checkpoints'));
const file = (step: number) => `${String(step).padStart(8, '0')}.safetensors`;

/** Starts training in the background. */
function start(command: string[]) {
  const child = spawn(process.execPath, [program, ...command]);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  const until = async (condition: () => boolean) => {
    while (!condition() && child.exitCode === null && child.signalCode === null)
      await new Promise((done) => setTimeout(done, 10));
  };
  return { child, output, ended, until };
}

const locked = (name: string) => lstatSync(join(run(name), 'lock'), { throwIfNoEntry: false }) !== undefined;
const logged = (name: string) => () => existsSync(join(run(name), 'log.jsonl'));

t.test('a second trainer of a run is refused; after the first one the run is free', async (t) => {
  const first = start(args('shared', '--steps', '100000', '--log-every', '1'));
  await first.until(logged('shared'));
  const second = await bigbigan(args('shared', '--steps', '100000'));
  t.equal(second.code, 1);
  t.equal(second.stdout, '');
  t.match(second.stderr, `the run ${run('shared')} is being trained by process ${first.child.pid} on ${hostname()}`);
  t.match(second.stderr, `kill -INT ${first.child.pid}`);
  t.equal(first.child.exitCode, null, 'the first one goes on');
  first.child.kill('SIGINT');
  t.equal((await first.ended).code, 130);
  t.notOk(locked('shared'));
});

t.test('of two that start at once, one trains', async (t) => {
  const both = await Promise.all([0, 1].map(() => bigbigan(args('race', '--steps', '2'))));
  t.ok(
    both.some(({ code }) => code === 0),
    both.map(({ stderr }) => stderr).join(),
  );
  for (const { code, stderr } of both) if (code !== 0) t.match(stderr, /is being trained by process/);
  t.same(checkpoints('race'), [file(2)]);
});

t.test('a signal before the first step ends at once: there is nothing to save', async (t) => {
  const { child, ended, until } = start(args('early', '--steps', '100000'));
  await until(() => locked('early'));
  child.kill('SIGINT');
  const { code, stdout } = await ended;
  t.equal(code, 130);
  t.equal(stdout, '');
  t.notOk(locked('early'));
  t.notOk(existsSync(join(run('early'), 'log.jsonl')));
  t.match(JSON.parse((await succeed(args('early', '--steps', '1', '--json'))).stdout), {
    steps_run: 1,
    finished: true,
  });
});

t.test('a signal while a checkpoint is written: it is finished, and the steps since then are saved too', async (t) => {
  // As a graph: the longest calls that block the main thread while another one writes.
  const options = ['--steps', '100000', '--checkpoint-every', '3', '--sample-every', '100000'];
  const { child, ended, until } = start(['train', '--data', data, '--run', run('writing'), ...AS_GRAPH, ...options]);
  await until(() => existsSync(join(run('writing'), 'checkpoints')));
  const watcher = watch(join(run('writing'), 'checkpoints'));
  watcher.on('change', (_, name) => {
    if (String(name).endsWith('.tmp')) child.kill('SIGTERM');
    watcher.close();
  });
  const { code, stdout, stderr } = await ended;
  t.equal(code, 143, stderr);
  t.match(stderr, /SIGTERM: saving a checkpoint/);
  const written = checkpoints('writing').map((name) => join(run('writing'), 'checkpoints', name));
  t.equal(written[0], join(run('writing'), 'checkpoints', file(3)));
  t.equal(stdout, `${written.at(-1)}\n`);
  for (const path of written) await verifyCheckpoint(path);
});

t.test('a second signal ends at once', async (t) => {
  const { child, output, ended, until } = start(
    args('twice', '--steps', '100000', '--log-every', '1', '--set', 'train.statisticsBatches=100000'),
  );
  await until(logged('twice'));
  child.kill('SIGINT');
  await until(() => output.stderr.includes('saving a checkpoint'));
  // The checkpoint would take minutes.
  child.kill('SIGTERM');
  const { code, stdout } = await ended;
  t.equal(code, 143);
  t.equal(stdout, '');
  t.same(checkpoints('twice'), []);
  t.notOk(locked('twice'));
});

t.test('--time-limit saves and is no failure', async (t) => {
  const { stdout, stderr } = await succeed(args('limited', '--steps', '100000', '--time-limit', '4s', '--json'));
  const result = JSON.parse(stdout) as { step: number; finished: boolean; checkpoint: string };
  t.equal(result.finished, false);
  t.ok(result.step < 100_000);
  t.match(stderr, `the time limit is reached at step ${result.step} of 100000; the same command continues`);
  await verifyCheckpoint(result.checkpoint);
  t.notOk(locked('limited'));
});

t.test('--keep', async (t) => {
  await succeed(args('kept', '--steps', '6', '--checkpoint-every', '1'));
  t.same(checkpoints('kept'), [4, 5, 6].map(file), '3 by default');
  await succeed(args('kept', '--steps', '8', '--checkpoint-every', '1', '--keep', 'all'));
  t.same(checkpoints('kept'), [4, 5, 6, 7, 8].map(file));
  await succeed(args('kept', '--steps', '9', '--keep', '1'));
  t.same(checkpoints('kept'), [file(9)]);
});

t.test('numbers that are not finite end the run, which keeps the checkpoint before them', async (t) => {
  await succeed(args('broken', '--steps', '2'));
  const checkpoint = join(run('broken'), 'checkpoints', file(2));
  const { tensors, metadata } = await readSafetensors(checkpoint);
  // Finite, but its products are not.
  tensors.get('discriminator/score_x/bias')!.data.fill(3e38 as never);
  await writeSafetensors(checkpoint, tensors, metadata);
  const { code, stdout, stderr } = await bigbigan(args('broken', '--steps', '50', '--checkpoint-every', '1'));
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, /train: step 3: loss_d is Infinity\n/);
  t.match(stderr, `the last good checkpoint is ${checkpoint};`);
  t.same(checkpoints('broken'), [file(2)]);
  t.notOk(locked('broken'));
});

/** Runs a script with file systems of its own, or says that this is not allowed here. */
async function withMounts(t: Test, script: string, ...more: string[]) {
  const allowed = await runProgram('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).catch(() => undefined);
  if (allowed?.code !== 0) {
    t.comment('no file system may be mounted here');
    return undefined;
  }
  return runProgram('unshare', ['-rm', 'sh', '-c', script, 'sh', ...more]);
}

t.test('a full disk: the checkpoints stay, and with room the run goes on', async (t) => {
  const small = run('small');
  mkdirSync(small);
  // Three checkpoints of 186 kB find room, but no fourth.
  const script = `mount -t tmpfs -o size=700k tmpfs '${small}' || exit 9
    "$@" || echo "failed with $?" >&2
    cp -r '${small}' '${run('full')}'
    mount -o remount,size=9m '${small}'
    "$@" && cp -r '${small}' '${run('roomy')}'`;
  const command = args(
    'small',
    '--steps',
    '8',
    '--checkpoint-every',
    '1',
    '--sample-every',
    '1000',
    '--log-every',
    '1',
    '--keep',
    '3',
  );
  const result = await withMounts(t, script, process.execPath, program, ...command);
  if (!result) return;
  t.match(
    result.stderr,
    /train: .*\.safetensors cannot be written: the disk is full \(ENOSPC\)\n +what was there before is unharmed.*\nfailed with 1/,
  );
  const present = readdirSync(run('full')).filter((name) => !name.startsWith('events.out.tfevents.'));
  t.same(
    present.sort(),
    ['checkpoints', 'config.json', 'data.json', 'log.jsonl', 'samples'],
    'neither a lock nor half a file',
  );
  t.same(checkpoints('full'), [1, 2, 3].map(file));
  for (const step of [1, 2, 3]) await verifyCheckpoint(join(run('full'), 'checkpoints', file(step)));
  t.equal(result.code, 0, result.stderr);
  t.match(result.stderr, /continuing from step 3/);
  await succeed(args('spacious', '--steps', '8'));
  t.equal(
    await sha256File(join(run('roomy'), 'checkpoints', file(8))),
    await sha256File(join(run('spacious'), 'checkpoints', file(8))),
  );
});
