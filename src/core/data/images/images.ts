/** Opens images of any kind. A new kind is a file beside this one, and a line in this table. */
import { stat } from 'node:fs/promises';
import { expected } from '../../errors.js';
import { findDataset, isDataset } from './dataset-images.js';
import { findFolder } from './folder-images.js';
import type { FoundImages, ImageOptions, ImageSet } from './image-set.js';
import { findNpy } from './npy-images.js';
import { findNpz } from './npz-images.js';
import { findStream } from './stream-images.js';
import { findTar } from './tar-images.js';
import { findZip } from './zip-images.js';

interface Kind {
  is(path: string, isFolder: boolean): boolean | Promise<boolean>;
  find(path: string): Promise<FoundImages>;
}

/** The first that fits. */
const KINDS: readonly Kind[] = [
  { is: (path, isFolder) => isFolder && isDataset(path), find: findDataset },
  { is: (_, isFolder) => isFolder, find: findFolder },
  { is: (path) => /\.zip$/i.test(path), find: findZip },
  { is: (path) => /\.(tar|tar\.gz|tgz)$/i.test(path), find: findTar },
  { is: (path) => /\.npz$/i.test(path), find: findNpz },
  { is: (path) => /\.npy$/i.test(path), find: findNpy },
];

export const IMAGE_FORMS = 'a dataset, a folder, zip or tar of images, .npy, .npz or -';

export interface FindOptions {
  /** What is expected, in errors. */
  forms?: string;
  /** Where `-` reads from, default standard input. */
  stdin?: AsyncIterable<Uint8Array>;
}

/** Looks at names and headers only; of a stream it reads the header. @throws UserError for what is no set of images */
export async function findImages(path: string, { forms = IMAGE_FORMS, stdin }: FindOptions = {}): Promise<FoundImages> {
  if (path === '-') return findStream(stdin ?? process.stdin);
  const status = await stat(path).catch(() => undefined);
  if (!status) throw expected(forms, path, 'no such file or folder', 'check the path');
  for (const { is, find } of KINDS) if (await is(path, status.isDirectory())) return find(path);
  throw expected(forms, path, 'another file', 'name the folder that holds the images');
}

/**
 * Opens a dataset, a folder, zip or tar of images, an `.npy` or `.npz` of uint8 images, or `-`: an `.npy` stream. Class
 * folders are labels. Arrays are uint8 [n, height, width, 1 or 3] or [n, height, width].
 * @throws UserError for what is no set of images, is damaged, or has another size than asked for
 */
export async function openImages(path: string, options: ImageOptions & FindOptions = {}): Promise<ImageSet> {
  return (await findImages(path, options)).open(options);
}
