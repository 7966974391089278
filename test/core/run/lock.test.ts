import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { acquireLock } from '../../../src/core/run/lock.js';
import { root } from '../../paths.js';

const lockIn = (t: Test) => join(t.testdir({}), 'lock');
const module = pathToFileURL(join(root, 'dist/src/core/run/lock.js')).href;

/** A process that takes the lock and waits, or says why it could not. */
async function holder(path: string) {
  const script = `import { acquireLock } from ${JSON.stringify(module)};
    try { acquireLock(process.argv[1], 'the run r'); console.log('held'); setInterval(() => {}, 1000); } catch (error) { console.log(error.message); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [words] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, words: words.toString().trim() };
}

t.test('one at a time, in one process and between two', async (t) => {
  const path = lockIn(t);
  const lock = acquireLock(path, 'the run r');
  t.throws(() => acquireLock(path, 'the run r'), {
    name: 'UserError',
    message: `the run r is being trained by process ${process.pid} on ${hostname()}`,
  });
  t.equal((await holder(path)).words, `the run r is being trained by process ${process.pid} on ${hostname()}`);
  lock.release();
  lock.release();
  t.same(readdirSync(join(path, '..')), []);
  acquireLock(path, 'the run r').release();
});

t.test('the lock of a process that was killed is taken over, that of a living one is not', async (t) => {
  const path = lockIn(t);
  const { child, words } = await holder(path);
  t.equal(words, 'held');
  t.throws(() => acquireLock(path, 'the run r'), {
    message: new RegExp(`process ${child.pid} on`),
    hint: new RegExp(`kill -INT ${child.pid}`),
  });
  child.kill('SIGKILL');
  await once(child, 'close');
  acquireLock(path, 'the run r').release();
  t.same(readdirSync(join(path, '..')), []);
});

t.test('a dead process that nobody has waited for is dead', async (t) => {
  const path = lockIn(t);
  // The shell becomes `sleep`, which never waits for its child.
  const script = `sh -c 'cat /proc/$$/stat > ${path}.stat; echo $$; read x' & exec sleep 60`;
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
  const started = readFileSync(`${path}.stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')[19];
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  symlinkSync(`pid ${pid.toString().trim()} on ${hostname()} started ${started} boot ${boot}`, path);
  for (let i = 0; i < 100 && !/\) Z/.test(readFileSync(`/proc/${pid.toString().trim()}/stat`, 'utf8')); i++)
    await new Promise((done) => setTimeout(done, 20));
  acquireLock(path, 'the run r').release();
  t.same(readdirSync(join(path, '..')), ['lock.stat']);
  parent.kill('SIGKILL');
});

t.test('a later process of the same number, another boot', async (t) => {
  const path = lockIn(t);
  acquireLock(path, 'the run r');
  const own = readlinkSync(path);
  t.match(own, new RegExp(`^pid ${process.pid} on ${hostname()} started \\d+ boot [0-9a-f-]{36}$`));
  for (const stale of [own.replace(/started \d+/, 'started 1'), own.replace(/boot .*/, 'boot 0')]) {
    rmSync(path);
    symlinkSync(stale, path);
    const lock = acquireLock(path, 'the run r');
    t.equal(readlinkSync(path), own);
    lock.release();
    symlinkSync(stale, path);
  }
});

t.test('nothing is known of other machines, nor of files that are no locks', async (t) => {
  const path = lockIn(t);
  symlinkSync('pid 1 on elsewhere started 1 boot 1', path);
  t.throws(() => acquireLock(path, 'the run r'), {
    message: /process 1 on elsewhere/,
    hint: new RegExp(`delete ${path}`),
  });
  rmSync(path);
  writeFileSync(path, '');
  t.throws(() => acquireLock(path, 'the run r'), { name: 'UserError', message: /left no name/ });
});

t.test('one who was killed while taking over does not matter; one who is taking over is named', async (t) => {
  const path = lockIn(t);
  const stale = `pid ${process.pid} on ${hostname()} started 1 boot 0`;
  symlinkSync(stale, path);
  symlinkSync(stale, `${path}.takeover`);
  acquireLock(path, 'the run r').release();
  t.same(readdirSync(join(path, '..')), []);
  symlinkSync(stale, path);
  const taking = acquireLock(`${path}.takeover`, 'the run r');
  t.throws(() => acquireLock(path, 'the run r'), { message: new RegExp(`process ${process.pid} on`) });
  t.equal(readlinkSync(path), stale);
  taking.release();
});

t.test('of many that find a stale lock at once, one gets it', async (t) => {
  const path = lockIn(t);
  for (let round = 0; round < 3; round++) {
    symlinkSync(`pid ${process.pid} on ${hostname()} started 1 boot 0`, path);
    const all = await Promise.all(Array.from({ length: 6 }, () => holder(path)));
    t.equal(all.filter(({ words }) => words === 'held').length, 1);
    for (const { child } of all) child.kill('SIGKILL');
    rmSync(path);
  }
});
