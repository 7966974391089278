/** Reads what src/core/plot draws, by a small parser of its own that insists on well-formed XML. */

export interface Element {
  name: string;
  attributes: Record<string, string>;
  /** What stands directly in it. */
  text: string;
  children: Element[];
}

/** All elements of a document, in the order of their starts. */
export function elements(svg: string): Element[] {
  const all: Element[] = [];
  const open: Element[] = [];
  const rest = svg.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  let at = 0;
  for (const match of rest.matchAll(/<(\/?)(\w+)((?:\s[\w-]+="[^"<]*")*)(\/?)>/g)) {
    const between = rest.slice(at, match.index);
    if (/[<>]/.test(between)) throw new Error(`not XML: ${between}`);
    if (open.length > 0) open.at(-1)!.text += decoded(between);
    at = match.index + match[0].length;
    const [, closes, name, attributes, empty] = match;
    if (closes) {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes another`);
      continue;
    }
    const element: Element = { name, attributes: {}, text: '', children: [] };
    for (const [, key, value] of attributes.matchAll(/([\w-]+)="([^"]*)"/g)) element.attributes[key] = decoded(value);
    open.at(-1)?.children.push(element);
    all.push(element);
    if (!empty) open.push(element);
  }
  if (open.length > 0 || rest.slice(at).trim() !== '') throw new Error('the document does not end');
  return all;
}

function decoded(text: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  if (/&(?!(amp|lt|gt|quot);)/.test(text)) throw new Error(`a lone & in ${text}`);
  return text.replace(/&(\w+);/g, (_, name: string) => entities[name]);
}

export interface Drawn {
  /** In the numbers of the axes. */
  points: number[][];
  colour: string;
  dash?: string;
  opacity: number;
}

export interface PanelRead {
  title: string[];
  lines: Drawn[];
  bands: Drawn[];
  dots: number[][];
  labels: string[];
}

/** The panels of a figure: what its paths mean by the numbers at its axes. */
export function panelsIn(svg: string): PanelRead[] {
  return elements(svg)
    .filter(({ name }) => name === 'g')
    .map(readPanel);
}

function readPanel({ children }: Element): PanelRead {
  const texts = children.filter(({ name }) => name === 'text');
  const place = ({ attributes }: Element) => ({ x: Number(attributes.x), y: Number(attributes.y) });
  const yLabels = texts.filter(({ attributes }) => attributes['text-anchor'] === 'end');
  const middle = texts.filter(({ attributes }) => attributes['text-anchor'] === 'middle');
  const xLabels = middle.filter((text) => place(text).y === Math.min(...middle.map((other) => place(other).y)));
  const x = line(xLabels.map((text) => [place(text).x, valueIn(text.text)]));
  // A label stands 4 pixels below its tick.
  const y = line(yLabels.map((text) => [place(text).y - 4, valueIn(text.text)]));
  const drawn = ({ attributes: a }: Element): Drawn => ({
    points: [...a.d.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map(([, px, py]) => [x(Number(px)), y(Number(py))]),
    colour: a.stroke ?? a.fill,
    dash: a['stroke-dasharray'],
    opacity: Number(a.opacity ?? 1),
  });
  const paths = children.filter(({ name }) => name === 'path');
  return {
    title: texts.filter((text) => !('text-anchor' in text.attributes)).map(({ text }) => text),
    lines: paths.filter(({ attributes }) => 'stroke-linejoin' in attributes).map(drawn),
    bands: paths.filter(({ attributes }) => attributes.d.endsWith('Z')).map(drawn),
    dots: children
      .filter(({ name }) => name === 'circle')
      .map(({ attributes: a }) => [x(Number(a.cx)), y(Number(a.cy))]),
    labels: [...xLabels, ...yLabels].map(({ text }) => text),
  };
}

function valueIn(label: string): number {
  const [, digits, unit] = /^(.*?)([kMG]?)$/.exec(label.replaceAll('−', '-'))!;
  return Number(digits) * { '': 1, k: 1e3, M: 1e6, G: 1e9 }[unit]!;
}

/** The straight line through the outermost points. */
function line(points: number[][]): (at: number) => number {
  const [[x0, y0], [x1, y1]] = [points[0], points.at(-1)!];
  return (at) => y0 + ((at - x0) / (x1 - x0)) * (y1 - y0);
}
