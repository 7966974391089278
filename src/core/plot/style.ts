/** How plots look: on paper, on a screen, and to the colour-blind. */

/** Okabe and Ito's colours, which differ for every kind of colour vision; without their yellow, which white drowns. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
const DASHES = [undefined, '6 3', '2 2.5', '8 3 2 3'];

export const INK = '#262626';
export const FAINT_INK = '#666666';
export const GRID = '#e4e4e4';
export const FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";
export const TEXT = { ticks: 11, label: 12, legend: 12 };

export interface LineStyle {
  colour: string;
  dash?: string;
}

/** Several groups have a colour each, and a dash for each key of a panel; a single group has a colour for each key. */
export function lineStyle(group: number, key: number, groups: number): LineStyle {
  const [colour, dash] =
    groups > 1 ? [group, key + Math.floor(group / COLOURS.length)] : [key, Math.floor(key / COLOURS.length)];
  return { colour: COLOURS[colour % COLOURS.length], dash: DASHES[dash % DASHES.length] };
}

/** Of text of a font size, in pixels, rather too much than too little: the font is not known. */
export function textWidth(text: string, size: number): number {
  return [...text].length * size * 0.6;
}
