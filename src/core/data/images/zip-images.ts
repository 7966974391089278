/** A zip archive of images. */
import { openZipImages } from '../sources/zip.js';
import { archiveImages } from './archive-images.js';
import type { FoundImages } from './image-set.js';

export async function findZip(path: string): Promise<FoundImages> {
  return archiveImages('zip', path, await openZipImages(path));
}
