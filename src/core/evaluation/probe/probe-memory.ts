/** Whether training a linear classifier fits in memory, asked before anything is trained. */
import { freemem } from 'node:os';
import { UserError } from '../../errors.js';
import type { LabelledRows } from '../../metrics/probe/classifier.js';
import { lbfgsBytes } from '../../metrics/probe/lbfgs-probe.js';
import { POOL } from '../../metrics/probe/shuffled.js';
import { headsBytes } from '../../metrics/probe/softmax-heads.js';
import type { ProbeQuestion } from './probe-question.js';

type Grid = Pick<ProbeQuestion, 'learningRates' | 'penalties' | 'batchSize' | 'average'>;

/**
 * @param free bytes; default what the machine has left, or the container
 * @throws UserError with the figures when training would take more
 */
export function checkMemory(
  { learningRates, penalties, batchSize, average }: Grid,
  { rows, width, labels }: LabelledRows,
  free = available(),
): void {
  const classes = new Set(labels).size;
  const grid = learningRates.flatMap((learningRate) => penalties.map((penalty) => ({ learningRate, penalty })));
  const pool = 4 * Math.min(rows * width, POOL);
  const heads = headsBytes(grid, { width, classes, batchSize, average });
  const wanted = pool + heads;
  if (wanted <= free) return;
  const fitting = Math.floor((free - pool) / (heads / grid.length));
  const size = `${grid.length} classifiers (${learningRates.length} learning rates × ${penalties.length} penalties) of ${classes} classes and ${width} features`;
  throw new UserError(`training ${size} takes about ${gigabytes(wanted)} of memory, and ${gigabytes(free)} are free`, {
    hint:
      fitting >= 1
        ? `at most ${fitting} of them fit: give fewer --learning-rates or --penalties at a time`
        : 'not even one fits: use features of fewer columns, or a machine with more memory',
  });
}

/** The same for L-BFGS, which has one classifier at a time and the pairs of its last iterations. */
export function checkLbfgsMemory({ rows, width, labels }: LabelledRows, free = available()): void {
  const classes = new Set(labels).size;
  const wanted = lbfgsBytes({ rows, width, classes });
  if (wanted <= free) return;
  throw new UserError(
    `L-BFGS on ${classes} classes and ${width} features takes about ${gigabytes(wanted)} of memory, and ${gigabytes(free)} are free`,
    {
      hint: 'use --solver adam with one of --learning-rates and --penalties, features of fewer columns, or a machine with more memory',
    },
  );
}

function available(): number {
  return process.availableMemory?.() ?? freemem();
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
