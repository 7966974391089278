/** From runs to a figure of their curves. */
import { drawFigure, type FigurePanel } from './figure.js';
import { type Group, type MeanCurve, meanCurve } from './groups.js';
import type { Axis } from './run-curves.js';

export interface PlotSettings {
  /** Keys of each panel. */
  panels: string[][];
  x: Axis;
  /** Weight of TensorBoard's smoothing of the log, in [0, 1); 0 for none. */
  smooth: number;
}

/** The end of a curve. */
export interface LastValue {
  group: string;
  key: string;
  step: number;
  mean: number;
  /** Over seeds, as the sample standard deviation; null for a single run. */
  standard_deviation: number | null;
  runs: number;
}

export interface Plot {
  svg: string;
  /** Of every curve as it was logged, also where it is shown smoothed. */
  last: LastValue[];
}

export function plotRuns(groups: readonly Group[], { panels, x, smooth }: PlotSettings): Plot {
  const last: LastValue[] = [];
  const curveOf = (group: Group, key: string) => {
    const raw = meanCurve(group, key, { x });
    if (!raw) return undefined;
    last.push(lastOf(raw, group, key));
    // Evaluations are few, and each is a result: an average with what came before would be none.
    if (smooth === 0 || group.runs.some(({ evaluated }) => evaluated.has(key))) return { curve: raw };
    return { curve: meanCurve(group, key, { x, smooth })!, raw };
  };
  const drawn: FigurePanel[] = panels.map((keys) => ({
    keys,
    curves: groups.map((group) => keys.map((key) => curveOf(group, key))),
  }));
  const remarks = [
    ...(last.some(({ runs }) => runs > 1) ? ['line and band: mean and standard deviation over seeds'] : []),
    ...(drawn.some(({ curves }) => curves.flat().some((curve) => curve?.raw))
      ? [`smoothed with weight ${smooth}; as logged: faint`]
      : []),
  ];
  const svg = drawFigure({
    groups: groups.map(({ label }) => label),
    panels: drawn,
    x,
    ...(remarks.length > 0 && { remark: remarks.join('; ') }),
  });
  return { svg, last };
}

function lastOf({ steps, mean, deviation, runs }: MeanCurve, { label }: Group, key: string): LastValue {
  return {
    group: label,
    key,
    step: steps.at(-1)!,
    mean: mean.at(-1)!,
    standard_deviation: deviation?.at(-1) ?? null,
    runs,
  };
}
