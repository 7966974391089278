/**
 * A tar archive of images, plain or gzipped: read once for the names and once for the images, never unpacked to disk.
 */
import { type Extract, extract } from 'tar-stream';
import { expected } from '../../errors.js';
import { cleanName, LARGEST_MEMBER, labelMembers } from './archive.js';
import { streamUnpacked } from './bytes.js';
import { isImageName } from './folder.js';
import type { ImageSource, SourceImage, SourceItem } from './source.js';

type Entry = Extract extends AsyncIterable<infer Member> ? Member : never;

/** The images of an archive in its order. */
export interface TarImages {
  /** Their paths in the archive. */
  names: readonly string[];
  items(wanted: (index: number) => boolean): AsyncGenerator<Omit<SourceItem, 'label'>>;
}

export async function openTar(path: string): Promise<ImageSource> {
  const { names, items: images } = await openTarImages(path);
  const { classes, label } = labelMembers(names, path);
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<SourceItem> {
    for await (const item of images(wanted)) yield { ...item, label: label(item.id) };
  }
  return { format: 'tar', files: [path], count: names.length, classes, items };
}

export async function openTarImages(path: string): Promise<TarImages> {
  const names: string[] = [];
  await eachImage(path, async (name, entry) => {
    names.push(name);
    await drain(entry);
  });
  if (names.length === 0) throw expected('images (jpg, png, webp, gif, tif, avif)', path, 'none');
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<Omit<SourceItem, 'label'>> {
    let index = -1;
    for await (const { name, entry } of images(path)) {
      index++;
      if (!wanted(index)) await drain(entry);
      else yield { index, id: name, image: await read(entry) };
    }
  }
  return { names, items };
}

async function eachImage(path: string, visit: (name: string, entry: Entry) => Promise<void>): Promise<void> {
  for await (const { name, entry } of images(path)) await visit(name, entry);
}

async function* images(path: string): AsyncGenerator<{ name: string; entry: Entry }> {
  const source = await streamUnpacked(path);
  const archive = extract();
  source.on('error', (error: Error) => archive.destroy(error));
  source.pipe(archive);
  try {
    for await (const entry of archive) {
      const name = cleanName(entry.header.name);
      if (isFile(entry) && isImageName(name)) yield { name, entry };
      else await drain(entry);
    }
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
