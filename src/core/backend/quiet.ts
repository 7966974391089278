/**
 * TensorFlow writes a notice about oneDNN to stderr whatever the log level: while the library is loaded, before it has
 * read the level from the environment. A command that promises a clean stderr turns file descriptor 2 away while the
 * library starts.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

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

/**
 * A second descriptor for a terminal, a pipe, or a file that is appended to (2>>). A socket cannot be opened by its
 * path; and another file opened again would be written at a position of its own, over what others who share the
 * descriptor write. There the notice stays.
 */
function duplicateStderr(): number | undefined {
  try {
    const kind = fstatSync(STDERR);
    if (!kind.isFIFO() && !kind.isCharacterDevice() && !(kind.isFile() && isAppendedTo(STDERR))) return undefined;
    return openSync(`/proc/self/fd/${STDERR}`, constants.O_WRONLY | constants.O_APPEND);
  } catch {
    return undefined;
  }
}

function isAppendedTo(descriptor: number): boolean {
  const [, flags] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')) ?? [];
  return (parseInt(flags, 8) & constants.O_APPEND) !== 0;
}

/** open() takes the lowest free descriptor, which is the one just closed. */
function point(descriptor: number, path: string): void {
  closeSync(descriptor);
  openSync(path, constants.O_WRONLY | constants.O_APPEND);
}
