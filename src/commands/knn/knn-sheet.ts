/** The sheet of `bigbigan knn`: queries with their nearest neighbours, as images. */
import type { ImageSet } from '../../core/data/images/images.js';
import type { FeaturePair } from '../../core/evaluation/features/feature-pair.js';
import type { NeighbourAnswer } from '../../core/evaluation/knn/classify-neighbours.js';
import type { KnnOptions } from './knn-checks.js';

/** Neighbours beside each query. */
const COLUMNS = 9;

export interface SheetImages {
  neighbourImages: ImageSet;
  queryImages: ImageSet;
  close(): Promise<void>;
}

export async function openSheetImages(
  { trainImages, testImages }: KnnOptions,
  { train, test }: FeaturePair,
): Promise<SheetImages> {
  const { openImages } = await import('../../core/data/images/images.js');
  const { checkSheetImages } = await import('../../core/evaluation/knn/neighbour-sheet.js');
  const neighbourImages = await openImages(trainImages!);
  const queryImages = await openImages(testImages!);
  const close = async () => void (await Promise.all([neighbourImages.close(), queryImages.close()]));
  try {
    checkSheetImages(neighbourImages, train, queryImages, test);
  } catch (error) {
    await close();
    throw error;
  }
  return { neighbourImages, queryImages, close };
}

export async function saveSheet(
  path: string,
  { neighbours }: NeighbourAnswer,
  firstQuery: number,
  images: SheetImages,
  queries: number,
): Promise<void> {
  const { neighbourSheet } = await import('../../core/evaluation/knn/neighbour-sheet.js');
  const { writeAtomic } = await import('../../core/formats/atomic.js');
  const columns = Math.min(COLUMNS, neighbours.found);
  const png = await neighbourSheet({ neighbours, firstQuery, ...images, queries, columns });
  await writeAtomic(path, async (handle) => void (await handle.writeFile(png)));
}
