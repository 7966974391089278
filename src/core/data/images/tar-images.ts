/** A tar archive of images, plain or gzipped. */
import { openTarImages } from '../sources/tar.js';
import { archiveImages } from './archive-images.js';
import type { FoundImages } from './image-set.js';

export async function findTar(path: string): Promise<FoundImages> {
  return archiveImages('tar', path, await openTarImages(path));
}
