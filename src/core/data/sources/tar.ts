/**
 * A tar archive of images, plain or gzipped: read once for the names and once for the images, never unpacked to disk.
 */
import { posix } from 'node:path';
import { type Extract, extract } from 'tar-stream';
import { expected } from '../../errors.js';
import { type ArchiveImages, archiveSource, cleanName, LARGEST_MEMBER } from './archive.js';
import { streamUnpacked } from './bytes.js';
import { isImageName } from './folder.js';
import type { ImageSource, SourceImage, SourceItem } from './source.js';

type Entry = Extract extends AsyncIterable<infer Member> ? Member : never;

export async function openTar(path: string): Promise<ImageSource> {
  return archiveSource('tar', path, await openTarImages(path));
}

/** Links are followed within the archive: they come after the files, as images of their own names. */
export async function openTarImages(path: string): Promise<ArchiveImages> {
  const files: string[] = [];
  const links: Link[] = [];
  for await (const { name, entry } of members(path)) {
    if (isFile(entry)) {
      if (isImageName(name)) files.push(name);
    } else if (isLink(entry) && isImageName(name)) links.push({ name, target: targetOf(name, entry) });
    await drain(entry);
  }
  const there = new Set(files);
  const names = [...files, ...links.map(({ name }) => name)];
  if (names.length === 0) throw expected('images (jpg, png, webp, gif, tif, avif)', path, 'none');
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<Omit<SourceItem, 'label'>> {
    const asked = links.map((link, i) => ({ ...link, index: files.length + i })).filter(({ index }) => wanted(index));
    const targets = new Set(asked.map(({ target }) => target));
    const linked = new Map<string, SourceImage>();
    let index = -1;
    for await (const { name, entry } of members(path)) {
      const isImage = isFile(entry) && isImageName(name);
      if (isImage) index++;
      if (!isImage || !(wanted(index) || targets.has(name))) {
        await drain(entry);
        continue;
      }
      const image = await read(entry);
      if (targets.has(name)) linked.set(name, image);
      if (wanted(index)) yield { index, id: name, image };
    }
    for (const { name, target, index: at } of asked) {
      const missing = {
        error: `it is a link to ${target}, which is ${there.has(target) ? 'unread' : 'not in the archive'}`,
      };
      yield { index: at, id: name, image: linked.get(target) ?? missing };
    }
  }
  return { names, items };
}

interface Link {
  name: string;
  /** Path in the archive. */
  target: string;
}

const isLink = ({ header: { type } }: Entry): boolean => type === 'link' || type === 'symlink';

/** A hard link names a member; a symbolic one is relative to its own folder. */
function targetOf(name: string, { header: { type, linkname } }: Entry): string {
  const target = linkname ?? '';
  return cleanName(type === 'link' ? target : posix.join(posix.dirname(name), target));
}

async function* members(path: string): AsyncGenerator<{ name: string; entry: Entry }> {
  const source = await streamUnpacked(path);
  const archive = extract();
  source.on('error', (error: Error) => archive.destroy(error));
  source.pipe(archive);
  try {
    for await (const entry of archive) yield { name: cleanName(entry.header.name), entry };
  } catch (error) {
    if ((error as Error).name === 'UserError') throw error;
    throw expected('a sound tar archive', path, (error as Error).message, 'the file is damaged or cut short');
  } finally {
    source.destroy();
  }
}

function isFile({ header: { type } }: Entry): boolean {
  return type === 'file' || type === 'contiguous-file' || type === null || type === undefined;
}

async function read(entry: Entry): Promise<SourceImage> {
  const size = entry.header.size ?? 0;
  if (size > LARGEST_MEMBER) {
    await drain(entry);
    return { error: `${size} bytes are more than an image may have` };
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry) chunks.push(chunk as Uint8Array);
  return { bytes: Buffer.concat(chunks) };
}

async function drain(entry: Entry): Promise<void> {
  for await (const chunk of entry) void chunk;
}
