/** Runs a program and keeps what it said. */
import { spawn } from 'node:child_process';

export interface Finished {
  /** 0 when it succeeded; 127 when there is no such program. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunSettings {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Lets the program show its own progress: its stdout goes straight to our stderr and is not kept. */
  show?: boolean;
}

/** Never rejects: a missing program is code 127, one ended by a signal is code 128. */
export function runProgram(program: string, args: string[], settings: RunSettings = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: settings.cwd,
      env: settings.env ?? process.env,
      stdio: ['ignore', settings.show ? 2 : 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error) => resolve({ code: 127, stdout, stderr: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 128, stdout, stderr }));
  });
}

/** The last lines that say something, for an error message. */
export function lastLines(text: string, count = 1): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join('\n');
}
