/** A picture of queries, each at the left of its nearest neighbours (BigBiGAN, Figure 11). */
import { encodePng } from '../../data/codec.js';
import type { Features } from '../../data/features.js';
import type { ImageSet } from '../../data/images/image-set.js';
import { withChannels } from '../../data/pixels.js';
import { imagesOf, sheet } from '../../data/sheet.js';
import { expected } from '../../errors.js';
import type { Neighbours } from '../../metrics/neighbours/knn.js';

export interface NeighbourSheet {
  neighbours: Neighbours;
  /** Row of `queryImages` that the first query is. */
  firstQuery: number;
  queryImages: ImageSet;
  neighbourImages: ImageSet;
  /** Queries to show, evenly spaced over all. */
  queries: number;
  /** Neighbours to show of each. */
  columns: number;
}

const GAP = 2;

/** @throws UserError unless both sets have images of one size, and one for each row of the features */
export function checkSheetImages(
  neighbourImages: ImageSet,
  train: Features,
  queryImages: ImageSet,
  test: Features,
): void {
  for (const [set, features] of [
    [neighbourImages, train],
    [queryImages, test],
  ] as const) {
    if (set.count !== features.rows) {
      throw expected(
        `${features.rows} images, one for each row of ${features.path}`,
        set.path,
        `${set.count}`,
        'name the images that were encoded',
      );
    }
  }
  const { height, width } = queryImages;
  if (neighbourImages.height !== height || neighbourImages.width !== width) {
    const found = `${neighbourImages.width} x ${neighbourImages.height}`;
    throw expected(
      `images of ${width} x ${height} as in ${queryImages.path}`,
      neighbourImages.path,
      found,
      'prepare both alike',
    );
  }
}

/** PNG bytes, of images that `checkSheetImages` has found to fit. */
export async function neighbourSheet(settings: NeighbourSheet): Promise<Buffer> {
  const { neighbours, firstQuery, queryImages, neighbourImages, columns } = settings;
  const count = neighbours.rows.length / neighbours.found;
  const shown = Math.min(settings.queries, count);
  const picked = Array.from({ length: shown }, (_, i) => Math.floor((i * count) / shown));
  const near = picked.flatMap((query) => [
    ...neighbours.rows.subarray(query * neighbours.found, query * neighbours.found + columns),
  ]);
  const { height, width } = queryImages;
  const [left, right] = [
    await pick(
      queryImages,
      picked.map((query) => firstQuery + query),
    ),
    await pick(neighbourImages, near),
  ];
  const cells = left.flatMap((image, row) => [image, ...right.slice(row * columns, (row + 1) * columns)]);
  const picture = sheet(cells, { height, width, channels: 3, columns: columns + 1, gap: GAP });
  return encodePng(picture.data, picture.height, picture.width, 3);
}

/** The images of these numbers, in colour. */
async function pick(set: ImageSet, indices: readonly number[]): Promise<Uint8Array[]> {
  const { height, width, channels } = set;
  const length = height * width * channels;
  const colour = (data: Uint8Array) => withChannels({ data, height, width, channels }, 3).data;
  if (set.random) return imagesOf(await set.random(indices), length).map(colour);
  const wanted = new Map<number, Uint8Array>(indices.map((index) => [index, new Uint8Array()]));
  let first = 0;
  for await (const { data, count } of set.batches(64)) {
    imagesOf(data, length).forEach((image, i) => {
      if (wanted.has(first + i)) wanted.set(first + i, colour(image.slice()));
    });
    first += count;
  }
  return indices.map((index) => wanted.get(index)!);
}
