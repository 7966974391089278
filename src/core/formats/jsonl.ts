/** Logs of one JSON object a line. A line counts once its newline is written, so a crash costs at most one line. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { expected } from '../errors.js';
import { noRoom } from './no-room.js';

/** Adds a line, after dropping an unfinished one that a crash left behind. Creates the file. */
export async function appendJsonl(path: string, record: object): Promise<void> {
  const handle = await open(path, 'a+').catch((error: unknown) => {
    throw noRoom(error, path);
  });
  try {
    const { size } = await handle.stat();
    if (size > 0 && !(await endsWithNewline(handle, size))) await truncateTo(handle, Infinity);
    await handle.appendFile(`${JSON.stringify(record)}\n`);
  } catch (error) {
    throw noRoom(error, path);
  } finally {
    await handle.close();
  }
}

/** The complete lines, parsed; none if the file does not exist. A complete line that is no JSON is an error. */
export async function readJsonl<T = Record<string, unknown>>(path: string): Promise<T[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      try {
        return JSON.parse(line) as T;
      } catch {
        throw expected(
          'a JSON object',
          `line ${index + 1} of ${path}`,
          JSON.stringify(line.slice(0, 60)),
          'the log is damaged',
        );
      }
    });
}

/** Keeps the first `lines` complete lines and drops the rest; a missing file stays missing. */
export async function truncateJsonl(path: string, lines: number): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    await truncateTo(handle, lines);
  } finally {
    await handle.close();
  }
}

async function endsWithNewline(handle: FileHandle, size: number): Promise<boolean> {
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return last[0] === 0x0a;
}

async function truncateTo(handle: FileHandle, lines: number): Promise<void> {
  const chunk = Buffer.alloc(1 << 16);
  let seen = 0;
  let keep = 0;
  for (let position = 0; seen < lines; ) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    for (let i = 0; i < bytesRead && seen < lines; i++) {
      if (chunk[i] !== 0x0a) continue;
      seen++;
      keep = position + i + 1;
    }
    position += bytesRead;
  }
  await handle.truncate(keep);
}
