/** When a long command stops before its end: SIGINT, SIGTERM, SIGHUP, and a limit of time. */
import { InvalidArgumentError } from 'commander';

export const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
export type StopSignal = keyof typeof SIGNAL_CODES;
/** Milliseconds; a timer of Node counts no further. */
const LONGEST_TIMER = 2 ** 31 - 1;
const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600 };

/** Ends the process with an exit code; only the program itself does, and hands this down. */
export type End = (code: number) => never;

/** `90s`, `30m`, `1.5h`, as seconds. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  const seconds = Number(number) * SECONDS[unit];
  if (!(seconds > 0)) throw new InvalidArgumentError('expected a time such as 90s, 30m or 2h.');
  return seconds;
}

export interface Stopping extends Disposable {
  /** Aborted when the work is to be saved and ended. */
  signal: AbortSignal;
  /**
   * From now on there is something to save: the first signal asks to stop, only a second one ends the process at once.
   */
  savable(): void;
  /** Whether to stop, and why. */
  reason(): 'signal' | 'time limit' | undefined;
  /** The exit code of a signal that came. */
  exitCode(): number | undefined;
}

export interface StoppingOptions {
  end: End;
  note: (message: string) => void;
  /** Seconds from the start of the process; default: none. */
  timeLimit?: number;
}

/** Watches until it is disposed; after that, signals end the process as usual again. */
export function watchStopping({ end, note, timeLimit = Infinity }: StoppingOptions): Stopping {
  const controller = new AbortController();
  let received: StopSignal | undefined;
  let savable = false;
  const handle = (signal: StopSignal) => {
    if (received !== undefined || !savable) end(SIGNAL_CODES[signal]);
    received = signal;
    note(`${signal}: saving a checkpoint; once more ends at once`);
    controller.abort(signal);
  };
  const signals = Object.keys(SIGNAL_CODES) as StopSignal[];
  for (const name of signals) process.on(name, handle);
  let timer: NodeJS.Timeout | undefined;
  const watch = () => {
    const left = 1000 * (timeLimit - process.uptime());
    if (left <= 0) return controller.abort('time limit');
    timer = setTimeout(watch, Math.min(left, LONGEST_TIMER)).unref();
  };
  watch();
  return {
    signal: controller.signal,
    savable: () => {
      savable = true;
    },
    reason: () => (received !== undefined ? 'signal' : controller.signal.aborted ? 'time limit' : undefined),
    exitCode: () => (received === undefined ? undefined : SIGNAL_CODES[received]),
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const name of signals) process.off(name, handle);
    },
  };
}
