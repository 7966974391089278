/**
 * A lock that one process of this machine holds at a time, and that its death opens. It is a symbolic link to nowhere,
 * made in one step together with what it says: the holder's machine, its boot, and the process by its number and the
 * time it was started, so that a later process of the same number is not taken for the holder.
 */
import { lstatSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { UserError } from '../errors.js';

export interface Lock {
  /** Synchronous, so that it can be called while the process exits; a second call does nothing. */
  release(): void;
}

/**
 * @param what names what is locked in errors, such as `the run runs/mnist`
 * @throws UserError if a living process holds it, or one of another machine, of which nothing is known
 */
export function acquireLock(path: string, what: string): Lock {
  const own = describe(process.pid)!;
  for (;;) {
    if (create(path, own)) return { release: () => release(path, own) };
    const holder = read(path);
    if (holder === undefined) continue;
    refuseLiving(holder, path, what);
    // Who takes over from the dead holds a lock on doing so: of two that saw the same holder, the slower one must not
    // remove the lock that the faster one has made meanwhile.
    const takeover = acquireLock(`${path}.takeover`, what);
    if (read(path) === holder) rmSync(path);
    takeover.release();
  }
}

function create(path: string, own: string): boolean {
  try {
    symlinkSync(own, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new UserError(`${path} cannot be made: ${code}`, {
      hint: 'a run that trains is locked; choose a folder that you may write to',
    });
  }
}

/** What the lock says, or undefined if it has just been released. */
function read(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : '';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function release(path: string, own: string): void {
  if (read(path) === own) rmSync(path, { force: true });
}

function refuseLiving(holder: string, path: string, what: string): void {
  const [, pid, host] = /^pid (\d+) on (\S+) /.exec(holder) ?? [];
  const gone = `if it is not training any more, delete ${path}`;
  if (pid === undefined) throw new UserError(`${what} is locked by something that left no name`, { hint: gone });
  if (host !== hostname()) throw new UserError(`${what} is being trained by process ${pid} on ${host}`, { hint: gone });
  if (describe(Number(pid)) === holder) {
    throw new UserError(`${what} is being trained by process ${pid} on ${host}`, {
      hint: `wait for it or stop it: kill -INT ${pid}`,
    });
  }
}

/** `pid PID on HOST started TICKS boot ID`, or undefined if there is no such process. */
function describe(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // The name in parentheses may hold spaces; after it, the 20th field is the time of the start since boot.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const ended = fields[0] === 'Z' || fields[0] === 'X';
    return ended ? undefined : `pid ${pid} on ${hostname()} started ${fields[19]} boot ${boot}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH')
      return undefined;
    throw error;
  }
}
