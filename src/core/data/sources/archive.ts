/** What tar and zip archives of images share. */
import { labelPaths } from './folder.js';
import type { ImageSource, SourceItem } from './source.js';

/** The images of an archive in its order. */
export interface ArchiveImages {
  /** Their paths in the archive. */
  names: readonly string[];
  items(wanted: (index: number) => boolean): AsyncIterable<Omit<SourceItem, 'label'>>;
}

/** They, with labels from their folders. */
export function archiveSource(format: 'zip' | 'tar', path: string, archive: ArchiveImages): ImageSource {
  const { names } = archive;
  const { classes, label } = labelMembers(names, path);
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<SourceItem> {
    for await (const item of archive.items(wanted)) yield { ...item, label: label(item.id) };
  }
  return { format, files: [path], count: names.length, classes, items };
}

/** A member larger than this is no image; it is named and skipped. */
export const LARGEST_MEMBER = 256 * 2 ** 20;

/** The member's name as a plain relative path: archives are only read, so this is for ids and classes. */
export function cleanName(name: string): string {
  return name
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

/** Labels from the folders inside, below the folders that all members share: `set/train/cat/1.png` is a cat. */
export function labelMembers(names: readonly string[], where: string) {
  const shared = sharedFolders(names);
  const { classes, label } = labelPaths(
    names.map((name) => name.slice(shared.length)),
    where,
  );
  return { classes, label: (name: string) => label(name.slice(shared.length)) };
}

function sharedFolders(names: readonly string[]): string {
  let shared = names[0].slice(0, names[0].lastIndexOf('/') + 1);
  for (const name of names) {
    while (!name.startsWith(shared)) shared = shared.slice(0, shared.lastIndexOf('/', shared.length - 2) + 1);
  }
  return shared;
}
