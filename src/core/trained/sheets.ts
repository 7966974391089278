/** Pictures of a run's progress: samples of fixed latents, and reconstructions of fixed images. */
import { encodePng } from '../data/codec.js';
import { imagesOf, sheet } from '../data/sheet.js';
import type { InferenceModel } from '../model/inference.js';

/** Images of a sheet, in the order of rows. */
export async function sheetPng(images: Uint8Array[], { output }: InferenceModel, columns: number): Promise<Buffer> {
  const grid = sheet(images, { ...output, columns });
  return encodePng(grid.data, grid.height, grid.width, grid.channels);
}

/** Rows of originals, each above the row of its reconstructions, as in the paper's Figure 2. */
export function besideReconstructions(
  originals: Uint8Array,
  reconstructions: Uint8Array,
  pixels: number,
  columns: number,
): Uint8Array[] {
  const [above, below] = [imagesOf(originals, pixels), imagesOf(reconstructions, pixels)];
  const rows: Uint8Array[] = [];
  for (let first = 0; first < above.length; first += columns) {
    const blank = new Uint8Array(pixels);
    const row = (images: Uint8Array[]) => Array.from({ length: columns }, (_, i) => images[first + i] ?? blank);
    rows.push(...row(above), ...row(below));
  }
  return rows;
}
