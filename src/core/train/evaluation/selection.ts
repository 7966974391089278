/** Which of a run's evaluations is the best, and for how many it has been; read off the lines of metrics.jsonl. */
import type { Evaluation, EvaluationLine } from './evaluation-line.js';
import type { EvaluationName } from './evaluation-names.js';

interface Criterion {
  /** The result that it is part of. */
  of: EvaluationName;
  better: 'higher' | 'lower';
  value(evaluation: Evaluation): number | undefined;
}

export const SELECTIONS = {
  probe: { of: 'linear_probe', better: 'higher', value: ({ linear_probe }) => linear_probe?.top1 },
  knn: { of: 'knn', better: 'higher', value: ({ knn }) => knn?.top1['1'] },
  reconstruction: { of: 'reconstruct', better: 'lower', value: ({ reconstruct }) => reconstruct?.l1_ratio },
  fid: { of: 'fid', better: 'lower', value: ({ fid }) => fid?.frechet_distance },
} satisfies Record<string, Criterion>;

export type Selection = keyof typeof SELECTIONS;

export interface Standing {
  /** The first of equals. */
  best?: { step: number; value: number };
  /** Evaluations after the best. */
  since: number;
}

/**
 * Numbers compare under one protocol: lines of another one than the last line's are passed over, as are those without
 * the metric.
 */
export function standing(lines: readonly EvaluationLine[], select: Selection): Standing {
  const { better, value }: Criterion = SELECTIONS[select];
  const protocol = JSON.stringify(lines.at(-1)?.protocol);
  let result: Standing = { since: 0 };
  for (const line of lines) {
    const found = value(line);
    if (found === undefined || !Number.isFinite(found) || JSON.stringify(line.protocol) !== protocol) continue;
    const { best, since } = result;
    const improved = !best || (better === 'higher' ? found > best.value : found < best.value);
    result = improved ? { best: { step: line.step, value: found }, since: 0 } : { best, since: since + 1 };
  }
  return result;
}
