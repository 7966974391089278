/** Where things are for tests, and how to run the real program. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder; this file is compiled to dist/test. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The path of a committed fixture. */
export function fixture(name: string): string {
  return join(root, 'fixtures', name);
}

export interface RunOptions {
  /** Bytes or text for stdin; stdin is empty without it. */
  input?: string | Uint8Array;
  /** Variables on top of the test's own environment; `undefined` removes one. */
  env?: Record<string, string | undefined>;
  cwd?: string;
}

export interface RunResult {
  /** The exit code; 128 + signal number when a signal ended the process, as a shell reports it. */
  code: number;
  stdout: string;
  stderr: string;
  /** stdout as it came, for binary output. */
  bytes: Buffer;
}

const SIGNALS: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** Runs `bigbigan ARGS` as a user would and waits for its end. Never rejects for a failing command. */
export function bigbigan(args: string[], options: RunOptions = {}): Promise<RunResult> {
  return run(process.execPath, [join(root, 'bin', 'bigbigan.js'), ...args], options);
}

/** The same for any program. */
export function run(program: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: options.cwd ?? root, env: environment(options.env) });
    const stdout: Uint8Array[] = [];
    const stderr: Uint8Array[] = [];
    child.stdout.on('data', (chunk: Uint8Array) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Uint8Array) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const bytes = Buffer.concat(stdout);
      resolve({
        code: code ?? 128 + (SIGNALS[signal ?? ''] ?? 0),
        stdout: bytes.toString(),
        stderr: Buffer.concat(stderr).toString(),
        bytes,
      });
    });
    // A program may end without reading all of its input; that is its right.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** What the test runner sets must not change what the program prints. */
function environment(extra: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ...extra };
  if (!('NODE_OPTIONS' in extra)) delete env.NODE_OPTIONS;
  for (const name of Object.keys(env)) {
    if (env[name] === undefined || /^(TAP|_TAPJS)/.test(name)) delete env[name];
  }
  return env;
}
