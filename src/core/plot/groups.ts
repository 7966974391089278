/** Runs that differ only in their seed, as one: the mean of their curves, and how far they spread. */
import { basename, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { type Axis, axisOf, type Curve, type RunCurves } from './run-curves.js';
import { smoothed } from './smooth.js';

export interface Group {
  label: string;
  runs: RunCurves[];
}

/** At each step that all of the runs have. */
export interface MeanCurve {
  steps: number[];
  /** Where the steps lie on the axis. */
  x: number[];
  mean: number[];
  /** The sample standard deviation, over n − 1; absent for a single run. */
  deviation?: number[];
  /** How many runs have the curve. */
  runs: number;
}

/** @param separate a group for every run */
export function groupRuns(runs: readonly RunCurves[], separate: boolean): Group[] {
  const groups: RunCurves[][] = [];
  for (const run of runs) {
    const group = groups.find(
      ([first]) => !separate && first.settings !== undefined && first.settings === run.settings,
    );
    // Two runs with the same seed differ in something else, such as their data.
    if (group?.every(({ seed }) => seed !== run.seed)) group.push(run);
    else groups.push([run]);
  }
  const names = runNames(runs.map(({ path }) => path));
  return groups.map((members) => ({ label: labelOf(members.map((run) => names[runs.indexOf(run)])), runs: members }));
}

/** The part in which the paths differ: without the folders that all of them begin and end with. */
function runNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => resolve(path).split('/'));
  const shortest = Math.min(...parts.map(({ length }) => length));
  const shared = (at: (list: string[]) => string | undefined) => parts.every((list) => at(list) === at(parts[0]));
  let [head, tail] = [0, 0];
  while (head < shortest && shared((list) => list[head])) head++;
  while (head + tail < shortest && shared((list) => list.at(-1 - tail))) tail++;
  return parts.map((list, i) => list.slice(head, list.length - tail).join('/') || basename(resolve(paths[i])));
}

/** What the names of a group share, without a word for the seed at its end. */
function labelOf(names: readonly string[]): string {
  if (names.length === 1) return names[0];
  let length = 0;
  while (length < names[0].length && names.every((name) => name[length] === names[0][length])) length++;
  const shared = names[0].slice(0, length).replace(/[\s._=/-]*(seed|(?<![a-z])s)?[\s._=/-]*\d*$/i, '');
  return `${shared || names[0]} (${names.length} seeds)`;
}

/** Undefined if no run has the key. Smoothing is done for each run before the mean. */
export function meanCurve(
  group: Group,
  key: string,
  { x: axis, smooth = 0 }: { x: Axis; smooth?: number },
): MeanCurve | undefined {
  const found = group.runs.flatMap((run) => {
    const curve = run.curves.get(key);
    return curve
      ? [{ run, curve, values: byStep(smooth > 0 ? smoothed(curve, smooth) : curve), place: axisOf(run, axis) }]
      : [];
  });
  if (found.length === 0) return undefined;
  const steps = found[0].curve.steps.filter((step) => found.every(({ values }) => values.has(step)));
  if (steps.length === 0) {
    throw new UserError(`${found.map(({ run }) => run.path).join(' and ')} have no step in common for ${key}`, {
      hint: 'they were logged at other intervals: add --separate for a curve of each',
    });
  }
  const x = steps.map((step) => average(found.map(({ place }) => place(step))));
  const all = steps.map((step) => found.map(({ values }) => values.get(step)!));
  const deviation = found.length > 1 ? all.map(standardDeviation) : undefined;
  return { steps, x, mean: all.map(average), deviation, runs: found.length };
}

const byStep = ({ steps, values }: Curve) => new Map(steps.map((step, i) => [step, values[i]]));

const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function standardDeviation(values: number[]): number {
  const mean = average(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
