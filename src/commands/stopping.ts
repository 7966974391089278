/** When a long command stops before its end: SIGINT, SIGTERM, and a limit of time. */
import { InvalidArgumentError } from 'commander';

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;
const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600 };

/** `90s`, `30m`, `1.5h`, as seconds. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  const seconds = Number(number) * SECONDS[unit];
  if (!(seconds > 0)) throw new InvalidArgumentError('expected a time such as 90s, 30m or 2h.');
  return seconds;
}

export interface Stopping {
  /**
   * From now on there is something to save: the first signal asks to stop, only a second one ends the process at once.
   */
  savable(): void;
  /** Whether to stop, and why. */
  reason(): 'signal' | 'time limit' | undefined;
  /** The exit code of a signal that came. */
  exitCode(): number | undefined;
  /** Signals end the process as usual again. */
  done(): void;
}

/** Watches from now on; `timeLimit` in seconds counts from the start of the process. */
export function watchStopping({
  note,
  timeLimit = Infinity,
}: {
  note: (message: string) => void;
  timeLimit?: number;
}): Stopping {
  let received: keyof typeof CODES | undefined;
  let savable = false;
  const handle = (signal: keyof typeof CODES) => {
    if (received !== undefined || !savable) process.exit(CODES[signal]);
    received = signal;
    note(`${signal}: saving a checkpoint; once more ends at once`);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    savable: () => (savable = true),
    reason: () => (received !== undefined ? 'signal' : process.uptime() >= timeLimit ? 'time limit' : undefined),
    exitCode: () => (received === undefined ? undefined : CODES[received]),
    done: () => {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}
