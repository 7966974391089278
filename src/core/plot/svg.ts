/** SVG as text: elements, with everything in them escaped. */

/** Marks what is SVG already, so that text from elsewhere cannot pass for it. */
export class Svg {
  constructor(readonly text: string) {}
}

export type SvgAttributes = Record<string, string | number | undefined>;

export function element(name: string, attributes: SvgAttributes, ...content: (Svg | string | undefined)[]): Svg {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? rounded(value) : escaped(value!)}"`)
    .join('');
  const inside = content
    .filter((part) => part !== undefined)
    .map((part) => (part instanceof Svg ? part.text : escaped(part)))
    .join('');
  return new Svg(inside === '' ? `<${name}${written}/>\n` : `<${name}${written}>${inside}</${name}>\n`);
}

/** A hundredth of a pixel is enough. */
export function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Characters that XML does not have are replaced. */
function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character]).replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd');
}

/** M x y L x y ... */
export function pathThrough(x: readonly number[], y: readonly number[]): string {
  return x.map((at, i) => `${i === 0 ? 'M' : 'L'}${rounded(at)} ${rounded(y[i])}`).join('');
}
