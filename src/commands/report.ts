/** Where a command's words go: results to stdout, everything else to stderr. */
import { SingleBar } from 'cli-progress';
import type { WorkEvent } from '../core/work.js';
import type { OutputOptions } from './options/options.js';
import { printable } from './printable.js';

/** Seconds between two lines of progress when stderr is not a terminal. */
const LINE_INTERVAL = 10;

interface Progress {
  /** `done` units so far, and a few words on how it goes. */
  update(done: number, words?: string): void;
  stop(): void;
}

/** Dispose of it (`using`): the timer of a bar would keep the process alive. */
export interface Report extends Disposable {
  /** The result: one JSON object with `--json`, else readable text. */
  result(json: object, text: string): void;
  /** A path that was written; nothing with `--json`. */
  path(path: string): void;
  /** A remark on stderr; nothing with `--quiet`. */
  note(message: string): void;
  /** A warning on stderr; nothing with `--quiet`. */
  warn(message: string): void;
  /**
   * What a function of the library reports: notes, warnings, and for each task a bar on a terminal, a line at intervals
   * elsewhere, nothing with `--quiet`. The next task ends the one before.
   */
  on(event: WorkEvent): void;
  /** Ends the task, so that words do not run into its bar. */
  endTask(): void;
}

export function createReport(options: OutputOptions): Report {
  const say = (message: string) => {
    if (!options.quiet) process.stderr.write(`${printable(message)}\n`);
  };
  const progress = (label: string, total: number): Progress => {
    if (options.quiet) return { update: () => {}, stop: () => {} };
    return process.stderr.isTTY && process.env.TERM !== 'dumb' ? bar(label, total) : lines(label, total, say);
  };
  const warn = (message: string) => say(`warning: ${message}`);
  let current: { task: string; progress: Progress } | undefined;
  const endTask = () => {
    current?.progress.stop();
    current = undefined;
  };
  const on = (event: WorkEvent) => {
    if (event.kind === 'note') return say(event.message);
    if (event.kind === 'warning') return warn(event.message);
    const { task, done, total, words } = event;
    if (current?.task !== task) {
      endTask();
      current = { task, progress: progress(task, total) };
    }
    current.progress.update(done, words);
    if (done >= total) endTask();
  };
  return {
    result: (json, text) => {
      endTask();
      process.stdout.write(options.json ? `${JSON.stringify(json)}\n` : `${text}\n`);
    },
    path: (path) => {
      endTask();
      if (!options.json) process.stdout.write(`${path}\n`);
    },
    note: say,
    warn,
    on,
    endTask,
    [Symbol.dispose]: endTask,
  };
}

function bar(label: string, total: number): Progress {
  const single = new SingleBar({
    format: `${label} {bar} {value}/{total} {eta_formatted} {words}`,
    barsize: 24,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    hideCursor: false,
    stream: process.stderr,
    clearOnComplete: false,
    linewrap: false,
  });
  single.start(total, 0, { words: '' });
  return {
    update: (done, words = '') => single.update(done, { words }),
    stop: () => single.stop(),
  };
}

function lines(label: string, total: number, say: (message: string) => void): Progress {
  const begun = Date.now();
  let last = begun;
  return {
    update: (done, words = '') => {
      const now = Date.now();
      if (now - last < LINE_INTERVAL * 1000 && done < total) return;
      last = now;
      const left = done > 0 && done < total ? `, ${duration(((now - begun) * (total - done)) / done / 1000)} left` : '';
      say(`${label} ${done}/${total}${words ? ` ${words}` : ''}${left}`);
    },
    stop: () => {},
  };
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
