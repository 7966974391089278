/** Learning curves of one or several runs, or the first filters of E, as a picture. */
import { checkChoice, checkList, checkNumber } from '../checks.js';
import { encodePng, renderSvg } from '../data/codec.js';
import { usage } from '../errors.js';
import { writeAtomic } from '../formats/atomic.js';
import { checkOutputFile } from '../formats/output-file.js';
import { isRun, notARun } from '../run/not-a-run.js';
import { filterSheet, firstFilters } from '../trained/filters.js';
import { packageVersion } from '../version.js';
import type { WorkOptions } from '../work.js';
import { groupRuns } from './groups.js';
import { keysOf, panelsOf, usualPanels } from './keys.js';
import { type LastValue, plotRuns } from './plot-runs.js';
import { AXES, type Axis, type RunCurves, readRunCurves } from './run-curves.js';

export interface PlotSettings {
  /** Folders of runs; they may still be training. */
  runs: readonly string[];
  /** A `.svg` or `.png`. */
  out: string;
  /** Commas part panels, + joins keys in one, * is any text; default: losses, scores and evaluations. */
  keys?: string;
  /** Horizontal axis, default `step`; hours are those of steps and of waiting for data. */
  x?: Axis;
  /** Weight of TensorBoard's smoothing of the log, from 0 (none, default) to below 1. */
  smooth?: number;
  /** A curve for every run, also of runs that differ only in their seed. */
  separate?: boolean;
  /** Names of the curves, in their order; default: from the folders. */
  labels?: readonly string[];
  /** Replace what exists. */
  force?: boolean;
}

export interface PlotResult {
  out: string;
  x: Axis;
  smooth: number;
  panels: string[][];
  groups: { label: string; runs: string[]; seeds: (number | null)[] }[];
  /** The end of every curve, as it was logged. */
  last: LastValue[];
  version: string;
  seconds: number;
}

/**
 * Draws the numbers of log.jsonl and metrics.jsonl over the steps. Runs that differ only in their seed become one
 * curve: their mean, with a band of one standard deviation (over n − 1) to either side, at the steps that all of them
 * have.
 * @throws UserError for folders that are no runs, keys that they do not have, and an `out` that exists
 */
export async function plot(settings: PlotSettings, { on, signal }: WorkOptions = {}): Promise<PlotResult> {
  const { out, x = 'step', smooth = 0, labels = [], separate = false, keys, force } = settings;
  checkList('RUN', settings.runs);
  checkChoice('--x', x, AXES);
  checkNumber('--smooth', smooth, 'from 0 to below 1', (value) => value >= 0 && value < 1);
  await checkPicture(out, force);
  const runs = await readRuns(settings.runs);
  const started = Date.now();
  const groups = groupRuns(runs, separate);
  if (labels.length > 0 && labels.length !== groups.length) {
    throw usage(
      `expected a --label for each of ${groups.length} curves, got ${labels.length}`,
      `the curves, in this order: ${groups.map(({ label }) => label).join(', ')}`,
    );
  }
  labels.forEach((label, i) => (groups[i].label = label));
  for (const group of groups) {
    const ends = group.runs.map(lastStep);
    const first = Math.min(...ends);
    if (first === Math.max(...ends)) continue;
    on?.({ kind: 'note', message: `${group.label}: the mean ends at step ${first}, as one of the runs does` });
  }
  const panels = keys === undefined ? usualPanels(runs) : panelsOf(keys, runs);
  if (panels.length === 0) {
    throw usage('the runs have none of the usual keys: --keys is missing', '--list-keys prints those there are');
  }
  const { svg, last } = plotRuns(groups, { panels, x, smooth });
  signal?.throwIfAborted();
  await save(out, /\.png$/i.test(out) ? await renderSvg(svg, PIXELS) : svg);
  return {
    out,
    x,
    smooth,
    panels,
    groups: groups.map((group) => ({
      label: group.label,
      runs: group.runs.map(({ path }) => path),
      seeds: group.runs.map(({ seed }) => seed ?? null),
    })),
    last,
    version: packageVersion,
    seconds: (Date.now() - started) / 1000,
  };
}

/** Pixels of a picture for each unit of the drawing. */
const PIXELS = 2;

/** The keys of runs that `plot` can draw. */
export async function plotKeys(runs: readonly string[]): Promise<{ keys: string[] }> {
  return { keys: keysOf(await readRuns(runs)) };
}

export interface PlotFiltersSettings {
  /** A run, or a checkpoint file. */
  run: string;
  /** A `.png`. */
  out: string;
  /** Replace what exists. */
  force?: boolean;
}

export interface PlotFiltersResult {
  out: string;
  checkpoint: string;
  step: number;
  filters: number;
  /** Height, width and channels of a filter. */
  shape: [number, number, number];
  /** Euclidean norm of each filter. */
  norms: number[];
  version: string;
  seconds: number;
}

/**
 * Draws the kernels of E's first layer on averaged weights; of a dense E, the weights of each unit as an image.
 * @throws UserError for what is no run or has no encoder, and for an `out` that exists
 */
export async function plotFilters({ run, out, force }: PlotFiltersSettings): Promise<PlotFiltersResult> {
  const started = Date.now();
  await checkPicture(out, force, /\.png$/i);
  const isCheckpoint = /\.safetensors$/.test(run);
  if (!isCheckpoint && !(await isRun(run))) throw await notARun(run, 'RUN');
  const found = await firstFilters(isCheckpoint ? { checkpoint: run } : { run });
  const { data, height, width, channels } = filterSheet(found);
  await save(out, await encodePng(data, height, width, channels));
  return {
    out,
    checkpoint: found.checkpoint,
    step: found.step,
    filters: found.filters.length,
    shape: [found.height, found.width, found.channels],
    norms: found.filters.map((filter) => Math.sqrt(filter.reduce((sum, weight) => sum + weight ** 2, 0))),
    version: packageVersion,
    seconds: (Date.now() - started) / 1000,
  };
}

const readRuns = (runs: readonly string[]): Promise<RunCurves[]> => Promise.all(runs.map(readRunCurves));

/** @throws UserError if it is of another kind, or cannot be written */
async function checkPicture(out: string, force?: boolean, kind = /\.(svg|png)$/i): Promise<void> {
  const what = kind.test('.svg') ? 'a .svg or .png file' : 'a .png file';
  if (!kind.test(out)) throw usage(`expected ${what} for --out, got ${out}`);
  await checkOutputFile(out, force);
}

function lastStep({ curves }: RunCurves): number {
  return Math.max(...[...curves.values()].map(({ steps }) => steps.at(-1)!));
}

async function save(out: string, data: string | Buffer): Promise<void> {
  await writeAtomic(out, async (handle) => {
    await handle.writeFile(data);
  });
}
