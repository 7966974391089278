/** The evaluations of a run: when they are due, their lines in metrics.jsonl, and the best of them. */
import type { Engine } from '../../backend/engine.js';
import type { Config } from '../../config/config.js';
import type { Dataset } from '../../data/dataset/dataset.js';
import { appendJsonl, readJsonl } from '../../formats/jsonl.js';
import type { Extractor } from '../../metrics/extractor.js';
import type { InferenceModel } from '../../model/inference.js';
import { bestCheckpoint, markBest } from '../../run/best-checkpoint.js';
import type { RunFolder } from '../../run/run-folder.js';
import { SHEET } from '../progress-sheets.js';
import { createEvaluator } from './evaluate.js';
import type { Stopped } from './evaluate-samples.js';
import type { EvaluationLine, Protocol } from './evaluation-line.js';
import type { EvaluationName } from './evaluation-names.js';
import { type Selection, type Standing, standing } from './selection.js';

export interface EvaluationSettings {
  /** Steps between evaluations; the last step is evaluated too. */
  every: number;
  dataset: Dataset;
  /** Taken of the dataset at most. */
  images: number;
  names: readonly EvaluationName[];
  /** For Fréchet distances, opened for batches of `SHEET.images`. */
  extractor?: Extractor;
  /** By which the best checkpoint is chosen. */
  select?: Selection;
  /** Consecutive evaluations without a better one, after which training stops. */
  patience?: number;
}

export interface BestEvaluation {
  select: Selection;
  step: number;
  value: number;
  /** Null if the file has been lost. */
  checkpoint: string | null;
}

export interface Evaluations {
  /** What to say of them, where the run has others. */
  change?: string;
  /** Whether the step is to be evaluated and has no line yet. The lines are read anew: training may have gone back. */
  due(step: number): Promise<boolean>;
  /** Evaluates and appends a line; gives it, and whether it is the best so far. Undefined if it was stopped. */
  evaluate(
    at: { step: number; epoch: number },
    model: InferenceModel,
    stopped: Stopped,
  ): Promise<{ line: EvaluationLine; best: boolean } | undefined>;
  /** Gives the checkpoint of this step, which has been written, the name of the best. */
  markBest(step: number): Promise<void>;
  best(): Promise<BestEvaluation | undefined>;
  /** Whether there have been enough evaluations without a better one. */
  exhausted(): boolean;
}

/** Goes on with the lines there are, which must be of steps that the run has done. */
export async function openEvaluations(
  engine: Engine,
  { config, folder, settings }: { config: Config; folder: RunFolder; settings: EvaluationSettings },
): Promise<Evaluations> {
  const { every, select, patience } = settings;
  const evaluator = createEvaluator(engine, { ...settings, model: config.model, batchSize: SHEET.images });
  let lines = await readJsonl<EvaluationLine>(folder.metrics);
  const now = (): Standing => (select === undefined ? { since: 0 } : standing(lines, select));
  // A process may have been killed between the best checkpoint and its name.
  const { best } = now();
  if (best) await markBest(folder, best.step);

  return {
    change: evaluationChange(lines, { protocol: evaluator.protocol, data: settings.dataset.path }),
    async due(step) {
      if (step === 0 || (step % every !== 0 && step !== config.train.steps)) return false;
      lines = await readJsonl<EvaluationLine>(folder.metrics);
      return !lines.some((line) => line.step === step);
    },
    async evaluate({ step, epoch }, model, stopped) {
      const started = performance.now();
      const evaluation = await evaluator.evaluate(model, stopped);
      if (!evaluation) return undefined;
      const { protocol } = evaluator;
      const seconds = (performance.now() - started) / 1000;
      const line: EvaluationLine = { step, epoch, ...evaluation, data: settings.dataset.path, protocol, seconds };
      await appendJsonl(folder.metrics, line);
      lines.push(line);
      return { line, best: now().best?.step === step };
    },
    markBest: (step) => markBest(folder, step),
    best: async () => bestEvaluation(folder, lines, select),
    exhausted: () => patience !== undefined && now().since >= patience,
  };
}

/** With the file that holds it. */
export async function bestEvaluation(
  folder: RunFolder,
  lines: readonly EvaluationLine[],
  select?: Selection,
): Promise<BestEvaluation | undefined> {
  const best = select && standing(lines, select).best;
  return best && { select, ...best, checkpoint: (await bestCheckpoint(folder, best.step)) ?? null };
}

/**
 * How a run stands that ended with a checkpoint of `step`, by the run folder alone: whether that step has been
 * evaluated, whether patience is at its end, and the best. A name of the best that is missing is made good.
 */
export async function evaluationsUntil(
  folder: RunFolder,
  step: number,
  { select, patience = Infinity }: Pick<EvaluationSettings, 'select' | 'patience'>,
) {
  const lines = (await readJsonl<EvaluationLine>(folder.metrics)).filter((line) => line.step <= step);
  const evaluated = lines.at(-1)?.step === step;
  if (select === undefined) return { evaluated, exhausted: false };
  const { best, since } = standing(lines, select);
  if (best && !(await bestCheckpoint(folder, best.step))) await markBest(folder, best.step);
  return { evaluated, exhausted: since >= patience, best: await bestEvaluation(folder, lines, select) };
}

/** What a run that goes on should be told of evaluations until now, if from now on they are others, or none. */
export function evaluationChange(
  lines: readonly EvaluationLine[],
  now?: { protocol: Protocol; data: string },
): string | undefined {
  const before = lines.at(-1);
  if (!before) return undefined;
  if (!now)
    return `the run has been evaluated until step ${before.step}, and from here on is not: --eval-every is missing`;
  const names = [...new Set([...Object.keys(before.protocol), ...Object.keys(now.protocol)])] as (keyof Protocol)[];
  const changed = names.filter((name) => JSON.stringify(before.protocol[name]) !== JSON.stringify(now.protocol[name]));
  if (changed.length === 0) return undefined;
  const words = changed.map((name) => (name === 'data_digest' ? `data (${before.data}, now ${now.data})` : name));
  return `evaluations differ in ${words.join(', ')} from that of step ${before.step}: the numbers do not compare, and --select begins anew`;
}
