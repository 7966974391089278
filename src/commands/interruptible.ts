/** Long commands that have nothing to save: a signal ends them, and what was half written is removed first. */
import { ExitCode } from './exit-code.js';
import type { Report } from './report.js';
import { SIGNAL_CODES, type StopSignal } from './stopping.js';

/**
 * Runs `work` with a signal that SIGINT, SIGTERM and SIGHUP abort. A second one ends the process at once.
 * @throws ExitCode 128 + the number of the signal, when one came
 */
export async function interruptible<T>(report: Report, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const signals = Object.keys(SIGNAL_CODES) as StopSignal[];
  const release = () => {
    for (const name of signals) process.off(name, handle);
  };
  const handle = (signal: StopSignal) => {
    release();
    stop.abort(signal);
  };
  for (const name of signals) process.on(name, handle);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    report.endTask();
    report.note('stopped; nothing was written');
    throw new ExitCode(SIGNAL_CODES[stop.signal.reason as StopSignal]);
  } finally {
    release();
  }
}
