/**
 * A run that is killed again and again ends as one that never was. BIGBIGAN_TEST_SEED repeats the moments of a failure.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { integerRandom } from '../../src/core/data/random.js';
import { sha256File } from '../../src/core/formats/digest.js';
import { readJsonl } from '../../src/core/formats/jsonl.js';
import { verifyCheckpoint } from '../../src/core/run/checkpoint.js';
import { listCheckpoints, runFolder } from '../../src/core/run/run-folder.js';
import { shown } from '../events.js';
import { root } from '../paths.js';
import { digits, SETTINGS, succeed } from './run.js';

const LIVES = 20;
const STEPS = 100;

const dir = t.testdir();
const data = await digits(join(dir, 'data'));
const seed = Number(process.env.BIGBIGAN_TEST_SEED ?? Date.now() % 1_000_000);
const random = integerRandom(seed, 0);
const settings = [...SETTINGS, '--threads', '1', '--log-every', '3', '--steps', String(STEPS)];
const args = (run: string, ...more: string[]) => ['train', '--data', data, '--run', run, ...settings, ...more];

/** Waits until unfinished checkpoints have been seen `count` times. */
async function checkpointsBegun(checkpoints: string, count: number, ended: AbortSignal): Promise<void> {
  const seen = new Set<string>();
  while (!existsSync(checkpoints) && !ended.aborted) await wait(5);
  if (ended.aborted) return;
  const watcher = watch(checkpoints);
  try {
    await new Promise<void>((done) => {
      ended.addEventListener('abort', () => done());
      watcher.on('change', (_, name) => {
        if (String(name).endsWith('.tmp')) seen.add(String(name));
        if (seen.size >= count) done();
      });
    });
  } finally {
    watcher.close();
  }
}

const alive = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

t.test(`SIGKILL at ${LIVES} random moments; the last checkpoint is that of a run without a break`, async (t) => {
  t.comment(`BIGBIGAN_TEST_SEED=${seed}`);
  const run = join(dir, 'killed');
  const folder = runFolder(run);
  mkdirSync(run);
  const command = args(run, '--checkpoint-every', '2', '--sample-every', '11');
  const found: string[] = [];
  for (let life = 0; life < LIVES; life++) {
    const child = spawn(process.execPath, [join(root, 'bin', 'bigbigan.js'), ...command], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new AbortController();
    const end = once(child, 'close').then(() => ended.abort());
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += chunk));
    // Every fifth life ends on the way to its first step, half of the others while a checkpoint is written or a moment
    // later.
    if (life % 5 === 4) await Promise.race([end, wait(random.below(1200))]);
    else {
      await checkpointsBegun(join(run, 'checkpoints'), 1 + random.below(3), ended.signal);
      await wait(life % 2 ? random.below(4) : random.below(150));
    }
    if (!alive(child)) t.fail(`life ${life} ended by itself: ${stderr}`);
    child.kill('SIGKILL');
    await end;
    const checkpoints = await listCheckpoints(run);
    for (const { path } of checkpoints) await verifyCheckpoint(path);
    const unfinished =
      existsSync(join(run, 'checkpoints')) &&
      readdirSync(join(run, 'checkpoints')).some((name) => name.endsWith('.tmp'));
    found.push(`${checkpoints.at(-1)?.step ?? '-'}${unfinished ? '*' : ''}`);
  }
  t.comment(`newest checkpoint at each death, * with an unfinished one: ${found.join(' ')}`);
  await succeed(command);

  const whole = join(dir, 'whole');
  await succeed(args(whole, '--checkpoint-every', '1000', '--sample-every', '1000'));
  t.equal(await sha256File(folder.checkpoint(STEPS)), await sha256File(runFolder(whole).checkpoint(STEPS)));
  for (const sheet of [folder.samples(STEPS, 0), folder.reconstructions(STEPS)]) {
    t.ok(readFileSync(sheet).equals(readFileSync(sheet.replace(run, whole))), sheet);
  }
  t.same(await lines(folder.log), await lines(runFolder(whole).log));
  t.same(numbers(run), numbers(whole), 'TensorBoard shows the same');
  const present = readdirSync(run).filter((name) => !name.startsWith('events.out.tfevents.'));
  t.same(
    present.sort(),
    ['checkpoints', 'config.json', 'data.json', 'log.jsonl', 'samples'],
    'no lock and no unfinished file stays',
  );
  t.same(
    readdirSync(join(run, 'checkpoints')),
    [STEPS - 4, STEPS - 2, STEPS].map((step) => basename(folder.checkpoint(step))),
  );
  t.same(
    readdirSync(join(run, 'samples')).filter((name) => !name.endsWith('.png') || name.startsWith('.')),
    [],
  );
});

/** What TensorBoard shows of a run, but for how long things took. */
function numbers(run: string) {
  const all = [...shown(run)].map(([tag, steps]) => [tag, [...steps]] as const);
  return all.filter(([tag]) => tag.startsWith('train/') && !/seconds_|data_wait|images_per/.test(tag));
}

/** The log but for how long things took. */
async function lines(log: string) {
  const all = await readJsonl<Record<string, number>>(log);
  return all.map(({ seconds_per_step: _s, data_wait_per_step: _w, images_per_second: _i, ...rest }) => rest);
}
