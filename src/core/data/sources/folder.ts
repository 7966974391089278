/** A folder of image files: its subfolders are the classes, or there are none and no labels. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expected } from '../../errors.js';
import { folderKind, RUN } from '../folder-kind.js';
import { byCodePoint, classNumbers, type ImageSource, type SourceItem } from './source.js';

const IMAGE_NAME = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif|bmp)$/i;

/** Whether a path has the extension of an image, in any case; hidden files and Mac resource forks are none. */
export function isImageName(path: string): boolean {
  return IMAGE_NAME.test(path) && !path.split('/').some((part) => part.startsWith('.') || part === '__MACOSX');
}

/** The class of a path in a source: its first folder, or none for a file at the top. */
export function classOf(path: string): string | undefined {
  const cut = path.indexOf('/');
  return cut < 0 ? undefined : path.slice(0, cut);
}

/** Class numbers for paths: labels only if every image lies in a folder; none if all lie at the top. */
export function labelPaths(
  paths: readonly string[],
  where: string,
): { classes?: string[]; label(path: string): number | undefined } {
  const top = paths.filter((path) => classOf(path) === undefined);
  if (top.length === paths.length) return { label: () => undefined };
  if (top.length > 0) {
    throw expected(
      'all images in class folders, or all without',
      where,
      `${top.length} images such as ${top[0]} beside class folders`,
      'move them into a class folder or away',
    );
  }
  const numbers = classNumbers(
    paths.map((path) => classOf(path)!),
    where,
  );
  return { classes: [...numbers.keys()], label: (path) => numbers.get(classOf(path)!) };
}

/**
 * Paths of all images below a folder, relative to it with forward slashes, sorted. Links are followed, loops are not.
 */
export async function listImages(dir: string): Promise<string[]> {
  const paths: string[] = [];
  const walk = async (prefix: string, above: readonly string[]): Promise<void> => {
    const here = await realpath(join(dir, prefix));
    if (above.includes(here)) return;
    for (const entry of await readdir(here, { withFileTypes: true })) {
      const path = prefix + entry.name;
      const kind = entry.isSymbolicLink() ? await stat(join(here, entry.name)).catch(() => entry) : entry;
      if (kind.isDirectory()) await walk(`${path}/`, [...above, here]);
      else if (isImageName(path)) paths.push(path);
    }
  };
  await walk('', []);
  return paths.sort(byCodePoint);
}

export async function openFolder(dir: string): Promise<ImageSource> {
  const kind = await folderKind(dir);
  // Its sheets of samples are images too.
  if (kind === RUN) throw expected('a folder of images', dir, kind, 'name a folder of images or a dataset');
  const paths = await listImages(dir);
  if (paths.length === 0) {
    throw expected(
      'images (jpg, png, webp, gif, tif, avif)',
      dir,
      kind ?? 'none',
      'name the folder that holds the class folders',
    );
  }
  const { classes, label } = labelPaths(paths, dir);
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<SourceItem> {
    for (const [index, id] of paths.entries()) {
      if (wanted(index)) yield { index, id, label: label(id), image: { path: join(dir, id) } };
    }
  }
  return { format: 'folder', files: paths.map((path) => join(dir, path)), count: paths.length, classes, items };
}
