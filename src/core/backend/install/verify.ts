/** Loads the engine in a process of its own and lets it add two numbers. */
import { fileURLToPath } from 'node:url';
import { UserError } from '../../errors.js';
import { lastLines, runProgram } from './run.js';

export interface Verified {
  /** The version that the library itself reports. */
  tensorflow: string;
  /** The device that TensorFlow uses. */
  device: 'cpu' | 'gpu';
}

export async function verifyEngine(): Promise<Verified> {
  const child = fileURLToPath(new URL('./verify-child.js', import.meta.url));
  const { code, stdout, stderr } = await runProgram(process.execPath, [child], {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
  });
  if (code !== 0) throw new UserError(`the engine does not load: ${lastError(stderr)}`);
  const found = JSON.parse(lastLines(stdout)) as Verified & { sum: number };
  if (found.sum !== 3) throw new UserError(`expected 3 for 1 + 2 from the engine, got ${found.sum}`);
  return { tensorflow: found.tensorflow, device: found.device };
}

function lastError(stderr: string): string {
  return /^\w*Error: .*$/m.exec(stderr)?.[0] ?? lastLines(stderr);
}
