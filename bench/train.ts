/**
 * What a training run costs besides its steps: memory over time, the wait for a checkpoint, the check for finite
 * numbers.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { resolveConfig } from '../src/core/config/resolve.js';
import type { Child } from './child.js';
import { startTraining } from './systems.js';
import { align } from './table.js';

const MEMORY_STEPS = [500, 1000, 1500, 2000];

/** Models of which a checkpoint is timed; the batch is small where only the state matters. */
const MODELS = {
  mnist: ['preset mnist', 'mnist', []],
  cifar10: [
    'preset cifar10, batches of 4',
    'cifar10',
    ['train.batchSize=4', 'train.discriminatorSteps=1', 'train.statisticsBatches=2'],
  ],
} as const;

export interface MemoryResult {
  /** Of the process after so many steps. */
  resident_mb: Record<number, number>;
  peak_mb: number;
}

/** Seconds. */
export interface CheckpointResult {
  megabytes: number;
  /** Standing statistics, which are computed, not copied. */
  statistics: number;
  /** Out of TensorFlow. */
  values: number;
  finite_check: number;
  hand_over: number;
  /** By the thread, while steps go on. */
  write_beside: number;
  /** As it would be without the thread. */
  write_here: number;
  /** Of the state, for comparison. */
  memory_copy: number;
}

export interface CheckResult {
  plain_ms: number;
  checked_ms: number;
  /** Of the two in a round, the median. */
  ratio: number;
}

export interface TrainingResult {
  memory: MemoryResult;
  checkpoint: Record<string, CheckpointResult & { stall: number; stall_without_thread: number }>;
  check: Record<string, CheckResult>;
}

export async function measureTraining(
  folder: string,
  rounds: number,
  note: (words: string) => void,
): Promise<TrainingResult> {
  note(`memory: ${MEMORY_STEPS.at(-1)} steps of the preset tiny`);
  const tiny = configOf('tiny', [`train.steps=${MEMORY_STEPS.at(-1)}`]);
  const memory = await alone('memory', (child) =>
    child.ask<MemoryResult>({ do: 'memory', config: tiny, folder, at: MEMORY_STEPS }),
  );
  const checkpoint: TrainingResult['checkpoint'] = {};
  const check: TrainingResult['check'] = {};
  for (const [name, [words, preset, settings]] of Object.entries(MODELS)) {
    note(`checkpoint: ${words}`);
    const own = join(folder, name);
    mkdirSync(own);
    const config = configOf(preset, settings);
    const parts = await alone(name, (child) =>
      child.ask<CheckpointResult>({ do: 'checkpoint', config, folder: own, rounds }),
    );
    const stall = parts.values + parts.finite_check + parts.hand_over;
    checkpoint[name] = { ...parts, stall, stall_without_thread: parts.values + parts.finite_check + parts.write_here };
    note(`check for finite gradients: ${words}`);
    check[name] = await alone(name, (child) => child.ask<CheckResult>({ do: 'check', config, rounds: 4 * rounds }));
  }
  return { memory, checkpoint, check };
}

export function trainingTable({ memory, checkpoint, check }: TrainingResult): string {
  const resident = Object.entries(memory.resident_mb).map(([step, mb]) => `${mb.toFixed(0)} MB at step ${step}`);
  const seconds = (value: number) => value.toFixed(3);
  const stalls = Object.entries(checkpoint).map(([name, parts]) => [
    name,
    parts.megabytes.toFixed(0),
    ...[parts.stall, parts.memory_copy, parts.values, parts.finite_check, parts.hand_over, parts.write_beside].map(
      seconds,
    ),
    ...[parts.stall_without_thread, parts.statistics].map(seconds),
  ]);
  const head = [
    'checkpoint, seconds',
    'MB',
    'stall',
    'memory copy',
    'values',
    'finite',
    'hand over',
    'written beside',
    'stall without thread',
    'statistics',
  ];
  const checks = Object.entries(check).map(([name, { plain_ms, checked_ms, ratio }]) => [
    name,
    plain_ms.toFixed(1),
    checked_ms.toFixed(1),
    ratio.toFixed(3),
  ]);
  return [
    `memory of tiny: ${resident.join(', ')}; at most ${memory.peak_mb.toFixed(0)} MB`,
    align([head, ...stalls]),
    align([['step, ms', 'without check', 'with check', 'ratio'], ...checks]),
  ].join('\n\n');
}

const configOf = (preset: string, settings: readonly string[]) =>
  resolveConfig({ preset, settings, precision: 'float32' });

/** Each measurement has a process of its own. */
async function alone<T>(label: string, body: (child: Child) => Promise<T>): Promise<T> {
  const child = startTraining(label);
  try {
    return await body(child);
  } finally {
    child.close();
  }
}
