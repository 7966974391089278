/** A folder of image files, its subfolders included. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expected } from '../../errors.js';
import { folderKind, RUN } from '../folder-kind.js';
import { labelPaths, listImages } from '../sources/folder.js';
import { type EncodedImage, encodedImages } from './encoded-images.js';
import type { FoundImages, ImageRange } from './image-set.js';

export async function findFolder(path: string): Promise<FoundImages> {
  const kind = await folderKind(path);
  // Its sample sheets are images too, but most likely not what was meant.
  if (kind === RUN) throw expected('images', path, kind, `make some of it: bigbigan generate --run ${path}`);
  const names = await listImages(path);
  if (names.length === 0) {
    throw expected(
      'images (jpg, png, webp, gif, tif, avif)',
      path,
      kind ?? 'none',
      'name the folder that holds them; subfolders are searched too',
    );
  }
  async function* items({ first, end }: ImageRange): AsyncGenerator<EncodedImage> {
    for (const id of names.slice(first, end)) yield { id, name: join(path, id), image: join(path, id) };
  }
  return encodedImages({
    kind: 'folder',
    path,
    count: names.length,
    items,
    digest: () =>
      folderDigest(
        names.map((name) => join(path, name)),
        path,
      ),
    labels: () => labelPaths(names, path),
  });
}

/** SHA-256 of the names, relative to `dir`, and contents of all files. */
export async function folderDigest(files: readonly string[], dir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const bytes = await readFile(file);
    hash.update(`${relative(dir, file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}
