/** One pair of axes with its curves. */
import type { MeanCurve } from './groups.js';
import { FAINT_INK, GRID, INK, type LineStyle, TEXT } from './style.js';
import { element, pathThrough, rounded, type Svg } from './svg.js';
import { thinned } from './thin.js';
import { tickLabels, ticks } from './ticks.js';

export interface PanelCurve {
  style: LineStyle;
  curve: MeanCurve;
  /** The same before it was smoothed. */
  raw?: MeanCurve;
}

/** Pixels of the rectangle between the axes. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Curves of no more points than this show them. */
const MARKED = 16;

export function drawPanel(curves: readonly PanelCurve[], frame: Frame, xLabel: string): Svg[] {
  const all = curves.flatMap(({ curve, raw }) => (raw ? [curve, raw] : [curve]));
  // Every run begins at 0.
  const xs = extent([0, ...all.flatMap(({ x }) => x)], 0);
  const ys = extent(
    all.flatMap(({ mean, deviation }) =>
      mean.flatMap((m, i) => [m - (deviation?.[i] ?? 0), m + (deviation?.[i] ?? 0)]),
    ),
    0.05,
  );
  const scale: Scale = {
    x: (value) => frame.left + ((value - xs.low) / (xs.high - xs.low)) * frame.width,
    y: (value) => frame.top + ((ys.high - value) / (ys.high - ys.low)) * frame.height,
  };
  return [
    ...drawAxes(frame, scale, ticks(xs.low, xs.high, 6), ticks(ys.low, ys.high, 5), xLabel),
    ...curves.flatMap(({ style, curve }) => drawBand(curve, style, scale, frame)),
    ...curves.flatMap(({ style, raw }) => (raw ? drawLine(raw, style, scale, frame, { width: 1, opacity: 0.3 }) : [])),
    ...curves.flatMap(({ style, curve }) => drawLine(curve, style, scale, frame, { width: 1.6 })),
  ];
}

interface Scale {
  x(value: number): number;
  y(value: number): number;
}

/** From the lowest to the highest value with a share of the distance on either side. */
function extent(values: readonly number[], margin: number): { low: number; high: number } {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  // Differences in the last digits are those of rounding.
  if (high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high))) {
    const room = Math.abs(low) * 0.1 || 1;
    return { low: low - room, high: high + room };
  }
  return { low: low - margin * (high - low), high: high + margin * (high - low) };
}

function drawAxes(
  { left, top, width, height }: Frame,
  scale: Scale,
  xTicks: number[],
  yTicks: number[],
  xLabel: string,
): Svg[] {
  const bottom = top + height;
  const grid = yTicks.map((tick) => `M${left} ${rounded(scale.y(tick))}h${width}`).join('');
  const marks = [
    ...xTicks.map((tick) => `M${rounded(scale.x(tick))} ${bottom}v4`),
    ...yTicks.map((tick) => `M${left} ${rounded(scale.y(tick))}h-4`),
  ];
  const [xLabels, yLabels] = [tickLabels(xTicks), tickLabels(yTicks)];
  const small = { 'font-size': TEXT.ticks, fill: INK };
  return [
    element('path', { d: grid, stroke: GRID, 'stroke-width': 1 }),
    element('path', {
      d: `M${left} ${top}V${bottom}h${width}${marks.join('')}`,
      stroke: INK,
      'stroke-width': 1,
      fill: 'none',
    }),
    ...xTicks.map((tick, i) =>
      element('text', { ...small, x: scale.x(tick), y: bottom + 17, 'text-anchor': 'middle' }, xLabels[i]),
    ),
    ...yTicks.map((tick, i) =>
      element('text', { ...small, x: left - 8, y: scale.y(tick) + 4, 'text-anchor': 'end' }, yLabels[i]),
    ),
    element(
      'text',
      { x: left + width / 2, y: bottom + 34, 'text-anchor': 'middle', 'font-size': TEXT.label, fill: FAINT_INK },
      xLabel,
    ),
  ];
}

/** One standard deviation to either side of the mean. */
function drawBand({ x, mean, deviation }: MeanCurve, { colour }: LineStyle, scale: Scale, { width }: Frame): Svg[] {
  if (!deviation || x.length < 2) return [];
  const edge = (sign: number) =>
    thinned({ x: x.map(scale.x), y: mean.map((value, i) => scale.y(value + sign * deviation[i])) }, width);
  const [upper, lower] = [edge(1), edge(-1)];
  const d = `${pathThrough([...upper.x, ...lower.x.reverse()], [...upper.y, ...lower.y.reverse()])}Z`;
  return [element('path', { d, fill: colour, opacity: 0.18 })];
}

function drawLine(
  curve: MeanCurve,
  { colour, dash }: LineStyle,
  scale: Scale,
  frame: Frame,
  { width, opacity }: { width: number; opacity?: number },
): Svg[] {
  const { x, y } = thinned({ x: curve.x.map(scale.x), y: curve.mean.map(scale.y) }, frame.width);
  const line = element('path', {
    d: pathThrough(x, y),
    fill: 'none',
    stroke: colour,
    'stroke-width': width,
    'stroke-dasharray': dash,
    'stroke-linejoin': 'round',
    opacity,
  });
  const dots =
    x.length > MARKED
      ? []
      : x.map((at, i) => element('circle', { cx: at, cy: y[i], r: width * 1.3, fill: colour, opacity }));
  return [line, ...dots];
}
