import { INK, type LineStyle, TEXT, textWidth } from './style.js';
import { element, type Svg } from './svg.js';

export interface LegendEntry {
  label: string;
  /** None for a remark. */
  style?: LineStyle;
}

const SAMPLE = 22;
const GAP = 18;
export const LEGEND_ROW = 18;

/** The entries in rows no wider than `width` pixels, where they fit at all. */
export function legendRows(entries: readonly LegendEntry[], width: number): LegendEntry[][] {
  const rows: LegendEntry[][] = [];
  let used = Infinity;
  for (const entry of entries) {
    if (used + entryWidth(entry) > width) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)!.push(entry);
    used += entryWidth(entry) + GAP;
  }
  return rows;
}

function entryWidth({ label, style }: LegendEntry): number {
  return (style ? SAMPLE + 5 : 0) + textWidth(label, TEXT.legend);
}

/** Draws rows from the top left corner on. */
export function drawLegend(rows: readonly LegendEntry[][], left: number, top: number): Svg[] {
  return rows.flatMap((row, index) => {
    const middle = top + (index + 0.5) * LEGEND_ROW;
    let x = left;
    return row.flatMap((entry) => {
      const start = x;
      x += entryWidth(entry) + GAP;
      const { label, style } = entry;
      const text = (at: number) =>
        element('text', { x: at, y: middle + TEXT.legend * 0.35, 'font-size': TEXT.legend, fill: INK }, label);
      if (!style) return [text(start)];
      const sample = element('path', {
        d: `M${start} ${middle}h${SAMPLE}`,
        stroke: style.colour,
        'stroke-width': 2.2,
        'stroke-dasharray': style.dash,
      });
      return [sample, text(start + SAMPLE + 5)];
    });
  });
}
