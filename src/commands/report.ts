/** Where a command's words go: results to stdout, everything else to stderr. */
import { SingleBar } from 'cli-progress';
import type { OutputOptions } from './options/options.js';

/** Seconds between two lines of progress when stderr is not a terminal. */
const LINE_INTERVAL = 10;

export interface Progress {
  /** `done` units so far, and a few words on how it goes. */
  update(done: number, words?: string): void;
  stop(): void;
}

export interface Report {
  /** The result: one JSON object with `--json`, else readable text. */
  result(json: object, text: string): void;
  /** A path that was written; nothing with `--json`. */
  path(path: string): void;
  /** A remark on stderr; nothing with `--quiet`. */
  note(message: string): void;
  /** A warning on stderr; nothing with `--quiet`. */
  warn(message: string): void;
  /** A bar on a terminal, a line at intervals elsewhere, nothing with `--quiet`. */
  progress(label: string, total: number): Progress;
}

export function createReport(options: OutputOptions): Report {
  const say = (message: string) => {
    if (!options.quiet) process.stderr.write(`${message}\n`);
  };
  return {
    result: (json, text) => {
      process.stdout.write(options.json ? `${JSON.stringify(json)}\n` : `${text}\n`);
    },
    path: (path) => {
      if (!options.json) process.stdout.write(`${path}\n`);
    },
    note: say,
    warn: (message) => say(`warning: ${message}`),
    progress: (label, total) => {
      if (options.quiet) return { update: () => {}, stop: () => {} };
      return process.stderr.isTTY && process.env.TERM !== 'dumb' ? bar(label, total) : lines(label, total, say);
    },
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
