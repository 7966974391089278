/** The sheet of `knn`: queries with their nearest neighbours, as images, in a file. */
import type { ImageSet } from '../../data/images/image-set.js';
import { openImages } from '../../data/images/images.js';
import { writeAtomic } from '../../formats/atomic.js';
import type { FeaturePair } from '../features/feature-pair.js';
import type { ComparedPair } from './compare-pair.js';
import { checkSheetImages, neighbourSheet } from './neighbour-sheet.js';

/** Neighbours beside each query. */
const COLUMNS = 9;

export interface SheetImages extends AsyncDisposable {
  neighbourImages: ImageSet;
  queryImages: ImageSet;
}

/** @throws UserError unless the images are those of the features */
export async function openSheetImages(
  trainImages: string,
  testImages: string,
  { train, test }: FeaturePair,
): Promise<SheetImages> {
  const opened: ImageSet[] = [];
  const close = async () => void (await Promise.all(opened.map((images) => images.close())));
  try {
    for (const path of [trainImages, testImages]) opened.push(await openImages(path));
    const [neighbourImages, queryImages] = opened;
    checkSheetImages(neighbourImages, train, queryImages, test);
    return { neighbourImages, queryImages, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function saveSheet(
  path: string,
  { answer, firstQuery }: ComparedPair,
  images: SheetImages,
  queries: number,
): Promise<void> {
  const { neighbours } = answer;
  const columns = Math.min(COLUMNS, neighbours.found);
  const png = await neighbourSheet({ neighbours, firstQuery, ...images, queries, columns });
  await writeAtomic(path, async (handle) => void (await handle.writeFile(png)));
}
