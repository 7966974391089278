/** What is compared: our step in three forms, and PyTorch's in up to three. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Execution } from '../src/core/backend/machine.js';
import type { Precision } from '../src/core/backend/precision.js';
import { type Child, startChild } from './child.js';

/** This file is compiled to dist/bench; Python's stays where it is. */
const here = fileURLToPath(new URL('.', import.meta.url));
const twin = join(here, '..', '..', 'bench', 'torch_twin.py');

export interface System {
  label: string;
  /** What its process is asked to be. */
  mode: { execution: Execution; precision: Precision } | { precision: Precision; compile: boolean };
  torch: boolean;
}

export const SYSTEMS = {
  float32: { label: 'traced float32', mode: { execution: 'traced', precision: 'float32' }, torch: false },
  bf16: { label: 'traced bf16', mode: { execution: 'traced', precision: 'bf16' }, torch: false },
  eager: { label: 'eager float32', mode: { execution: 'eager', precision: 'float32' }, torch: false },
  torch_eager: { label: 'PyTorch float32', mode: { precision: 'float32', compile: false }, torch: true },
  torch_bf16: { label: 'PyTorch bf16 autocast', mode: { precision: 'bf16', compile: false }, torch: true },
  torch_compile: { label: 'PyTorch compiled float32', mode: { precision: 'float32', compile: true }, torch: true },
} as const satisfies Record<string, System>;

export type SystemName = keyof typeof SYSTEMS;

export const startOurs = (label: string): Child => startChild(label, process.execPath, [join(here, 'worker.js')]);
export const startTraining = (label: string): Child =>
  startChild(label, process.execPath, [join(here, 'train-worker.js')]);
export const startTorch = (label: string, python: string): Child => startChild(label, python, [twin]);

export interface Torch {
  python: string;
  version: string;
}

/** The Python that BENCH_PYTHON names, else `python3`, when it has PyTorch and NumPy. */
export function findTorch(named: string | undefined): Torch | undefined {
  const python = named ?? 'python3';
  const { status, stdout } = spawnSync(python, ['-c', 'import numpy, torch; print(torch.__version__)'], {
    encoding: 'utf8',
  });
  return status === 0 ? { python, version: stdout.trim() } : undefined;
}
