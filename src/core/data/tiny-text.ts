/** Digits and a few capitals as pixels, for pictures that must not depend on the fonts of a machine. */

/** Rows of three pixels, five of them. */
const GLYPHS: Record<string, string> = {
  0: '111 101 101 101 111',
  1: '010 110 010 010 111',
  2: '111 001 111 100 111',
  3: '111 001 111 001 111',
  4: '101 101 111 001 001',
  5: '111 100 111 001 111',
  6: '111 100 111 101 111',
  7: '111 001 010 010 010',
  8: '111 101 111 101 111',
  9: '111 101 111 001 111',
  C: '111 100 100 100 111',
  D: '110 101 101 101 110',
  E: '111 100 110 100 111',
  I: '111 010 010 010 111',
  P: '111 101 111 100 100',
  R: '110 101 110 101 101',
  T: '111 010 010 010 010',
  U: '101 101 101 101 111',
};
/** Pixels of the picture for one of a glyph, each way. */
const SCALE = 2;

export const TEXT_HEIGHT = 5 * SCALE;

/** Of a text without the space that follows it. */
export function textWidth(text: string): number {
  return SCALE * (4 * text.length - 1);
}

export interface Grey {
  /** [height, width] */
  data: Uint8Array;
  height: number;
  width: number;
}

/** Draws in black from (left, top); what lies outside the picture is left out. */
export function drawText({ data, height, width }: Grey, text: string, left: number, top: number): void {
  for (let y = 0; y < TEXT_HEIGHT; y++) {
    for (let x = 0; x < textWidth(text); x++) {
      const column = Math.floor(x / SCALE);
      const glyph = GLYPHS[text[Math.floor(column / 4)]];
      const inked = column % 4 < 3 && glyph[4 * Math.floor(y / SCALE) + (column % 4)] === '1';
      const [px, py] = [left + x, top + y];
      if (inked && px >= 0 && px < width && py >= 0 && py < height) data[py * width + px] = 0;
    }
  }
}
