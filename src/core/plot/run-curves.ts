/** The curves of a run: every number of its log and its evaluations, by step. */
import { stat } from 'node:fs/promises';
import { expected, UserError } from '../errors.js';
import { readJsonl } from '../formats/jsonl.js';
import { numbersOf } from '../formats/numbers.js';
import { isRun, notARun } from '../run/not-a-run.js';
import { readRunConfig, runFolder } from '../run/run-folder.js';

export const AXES = ['step', 'epoch', 'hours'] as const;
export type Axis = (typeof AXES)[number];

/** Ascending steps, and a value at each. */
export interface Curve {
  steps: number[];
  values: number[];
}

export interface RunCurves {
  path: string;
  /** Undefined where there is no config. */
  seed?: number;
  /** All settings but the seed: equal for runs that differ in nothing else. */
  settings?: string;
  /** By the path of the number in its line, such as `loss_d` or `knn.top1.1`. */
  curves: Map<string, Curve>;
  /** Keys of metrics.jsonl. */
  evaluated: Set<string>;
}

/** What says where a line belongs, not what was measured. */
const PLACES = new Set(['step', 'epoch']);

/** Reads log.jsonl and metrics.jsonl, of a run that trains as well. Of lines with the same step the last counts. */
export async function readRunCurves(path: string): Promise<RunCurves> {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) throw await notARun(path, 'RUN');
  const { log, metrics } = runFolder(path);
  const [lines, evaluations] = [await readLines(log), await readLines(metrics)];
  if (lines.length + evaluations.length === 0) {
    if (!(await isRun(path))) throw await notARun(path, 'RUN');
    throw new UserError(`the run ${path} has no line in its log yet`, {
      hint: 'bigbigan train writes one every --log-every steps',
    });
  }
  const config = await readRunConfig(path);
  const measured = (records: Map<string, number>[]) =>
    new Set(records.flatMap((line) => [...line.keys()]).filter((key) => !PLACES.has(key)));
  return {
    path,
    ...(config && { seed: config.seed, settings: JSON.stringify({ ...config, seed: undefined }) }),
    curves: curvesOf([...lines, ...evaluations]),
    evaluated: measured(evaluations),
  };
}

async function readLines(path: string): Promise<Map<string, number>[]> {
  const records = await readJsonl<unknown>(path);
  return records.map((record, index) => {
    const numbers = numbersOf(record);
    // How something was measured, and that training went back, are no curves.
    for (const key of numbers.keys()) if (/^(protocol|rollback)\./.test(key)) numbers.delete(key);
    if (!numbers.has('step'))
      throw expected('a step', `line ${index + 1} of ${path}`, JSON.stringify(record).slice(0, 60));
    return numbers;
  });
}

function curvesOf(lines: readonly Map<string, number>[]): Map<string, Curve> {
  const found = new Map<string, Map<number, number>>();
  for (const line of lines) {
    const step = line.get('step')!;
    for (const [key, value] of line) {
      if (key === 'step') continue;
      if (!found.has(key)) found.set(key, new Map());
      found.get(key)!.set(step, value);
    }
  }
  return new Map(
    [...found].map(([key, values]) => {
      const steps = [...values.keys()].sort((a, b) => a - b);
      return [key, { steps, values: steps.map((step) => values.get(step)!) }];
    }),
  );
}

/**
 * Where a step lies on an axis. Epochs and hours are those of the log, on straight lines between its steps from 0 on.
 */
export function axisOf({ path, curves }: RunCurves, axis: Axis): (step: number) => number {
  if (axis === 'step') return (step) => step;
  const places = axis === 'epoch' ? curves.get('epoch') : hours(curves);
  if (!places)
    throw expected(
      axis === 'epoch' ? 'epoch' : 'seconds_per_step',
      `--x ${axis} in the log of ${path}`,
      'none',
      'use --x step',
    );
  return interpolated({ steps: [0, ...places.steps], values: [0, ...places.values] });
}

/** Time spent on steps and on waiting for data; sheets, checkpoints and evaluations are not in it. */
function hours(curves: Map<string, Curve>): Curve | undefined {
  const speed = curves.get('seconds_per_step');
  const waits = curves.get('data_wait_per_step');
  if (!speed) return undefined;
  let [total, last] = [0, 0];
  const values = speed.steps.map((step, i) => {
    total += (step - last) * (speed.values[i] + (waits?.values[i] ?? 0));
    last = step;
    return total / 3600;
  });
  return { steps: speed.steps, values };
}

/** Linear between points and, on the last line, beyond them. @param curve of two points or more */
function interpolated({ steps, values }: Curve): (step: number) => number {
  return (step) => {
    let [low, high] = [1, steps.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (steps[middle] >= step) high = middle;
      else low = middle + 1;
    }
    if (steps[low] === step) return values[low];
    const slope = (values[low] - values[low - 1]) / (steps[low] - steps[low - 1]);
    return values[low - 1] + slope * (step - steps[low - 1]);
  };
}
