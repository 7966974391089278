/** Panels side by side, with legends, as one SVG. */

import type { MeanCurve } from './groups.js';
import { drawLegend, LEGEND_ROW, type LegendEntry, legendRows } from './legend.js';
import { drawPanel, type Frame, type PanelCurve } from './panel.js';
import { FAINT_INK, FONT, INK, lineStyle, TEXT } from './style.js';
import { element } from './svg.js';

export interface FigurePanel {
  keys: string[];
  /** By group, then by key; undefined where a group has no such curve. */
  curves: (FigureCurve | undefined)[][];
}

export interface FigureCurve {
  curve: MeanCurve;
  raw?: MeanCurve;
}

export interface Figure {
  /** Labels of the groups. */
  groups: string[];
  panels: FigurePanel[];
  /** What the x axis is. */
  x: string;
  /** A remark beside the legend. */
  remark?: string;
}

const PLOT = { width: 344, height: 208 };
/** Around a plot, for the numbers at its axes. */
const ROOM = { left: 60, right: 20, bottom: 44 };
const MARGIN = 14;

export function drawFigure({ groups, panels, x, remark }: Figure): string {
  const columns = panels.length <= 1 ? 1 : panels.length <= 4 ? 2 : 3;
  const rows = Math.ceil(panels.length / columns);
  const titles = panels.map(({ keys }) => titleRows(keys, groups.length));
  const titleHeight = Math.max(...titles.map(({ length }) => length)) * LEGEND_ROW + 10;
  const cell = { width: ROOM.left + PLOT.width + ROOM.right, height: titleHeight + PLOT.height + ROOM.bottom };
  const width = columns * cell.width + 2 * MARGIN;
  const heading = legendRows(headingEntries(groups), width - 2 * MARGIN - ROOM.left);
  const remarkRows = remark === undefined ? [] : [remark];
  const top = MARGIN + (heading.length + remarkRows.length) * LEGEND_ROW;
  const height = top + rows * cell.height + MARGIN / 2;

  const left = MARGIN + ROOM.left;
  const drawn = panels.map((panel, i) => {
    const frame: Frame = {
      left: left + (i % columns) * cell.width,
      top: top + Math.floor(i / columns) * cell.height + titleHeight,
      ...PLOT,
    };
    const title = drawLegend(titles[i], frame.left, frame.top - 6 - titles[i].length * LEGEND_ROW);
    return element('g', {}, ...title, ...drawPanel(curvesOf(panel, groups.length), frame, x));
  });
  const body = [
    element('rect', { width, height, fill: '#ffffff' }),
    ...drawLegend(heading, left, MARGIN),
    ...remarkRows.map((text) => {
      const y = MARGIN + heading.length * LEGEND_ROW + 12;
      return element('text', { x: left, y, 'font-size': TEXT.ticks, fill: FAINT_INK }, text);
    }),
    ...drawn,
  ];
  const size = { width, height, viewBox: `0 0 ${width} ${height}` };
  const { text } = element('svg', { xmlns: 'http://www.w3.org/2000/svg', ...size, 'font-family': FONT }, ...body);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${text}`;
}

/** A colour for each group, or the name of the only one. */
function headingEntries(groups: string[]): LegendEntry[] {
  return groups.map((label, i) => ({ label, ...(groups.length > 1 && { style: lineStyle(i, 0, groups.length) }) }));
}

/** The name of a panel's key, or the line of each of its keys. */
function titleRows(keys: string[], groups: number): LegendEntry[][] {
  if (keys.length === 1) return [[{ label: keys[0] }]];
  const style = (key: number) =>
    groups > 1 ? { ...lineStyle(0, key, groups), colour: INK } : lineStyle(0, key, groups);
  return legendRows(
    keys.map((label, i) => ({ label, style: style(i) })),
    PLOT.width + ROOM.right,
  );
}

function curvesOf({ curves }: FigurePanel, groups: number): PanelCurve[] {
  return curves.flatMap((ofGroup, group) => {
    return ofGroup.flatMap((found, key) => (found ? [{ ...found, style: lineStyle(group, key, groups) }] : []));
  });
}
