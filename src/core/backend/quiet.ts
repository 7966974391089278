/**
 * TensorFlow writes a notice about oneDNN to stderr whatever the log level. A command that promises
 * a clean stderr turns file descriptor 2 away while the library starts.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';

const STDERR = 2;

export function withoutLibraryNotices<T>(load: () => T): T {
  const saved = duplicateStderr();
  if (saved === undefined) return load();
  point(STDERR, '/dev/null');
  try {
    return load();
  } finally {
    point(STDERR, `/proc/self/fd/${saved}`);
    closeSync(saved);
  }
}

/** A second descriptor for what stderr is; none when it is a socket, which cannot be opened by its path. */
function duplicateStderr(): number | undefined {
  try {
    if (fstatSync(STDERR).isSocket()) return undefined;
    return openSync(`/proc/self/fd/${STDERR}`, constants.O_WRONLY | constants.O_APPEND);
  } catch {
    return undefined;
  }
}

/** open() takes the lowest free descriptor, which is the one just closed. */
function point(descriptor: number, path: string): void {
  closeSync(descriptor);
  openSync(path, constants.O_WRONLY | constants.O_APPEND);
}
