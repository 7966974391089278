/** A zip archive of images, read member by member, never unpacked to disk. */
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { expected } from '../../errors.js';
import { cleanName, LARGEST_MEMBER, labelMembers } from './archive.js';
import { isImageName } from './folder.js';
import type { ImageSource, SourceImage, SourceItem } from './source.js';

/** The images of an archive in its order, wherever in it they lie. */
export interface ZipImages {
  /** Their paths in the archive. */
  names: readonly string[];
  items(wanted: (index: number) => boolean): AsyncGenerator<Omit<SourceItem, 'label'>>;
}

export async function openZip(path: string): Promise<ImageSource> {
  const { names, items: images } = await openZipImages(path);
  const { classes, label } = labelMembers(names, path);
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<SourceItem> {
    for await (const item of images(wanted)) yield { ...item, label: label(item.id) };
  }
  return { format: 'zip', files: [path], count: names.length, classes, items };
}

export async function openZipImages(path: string): Promise<ZipImages> {
  const entries = await withZip(path, listImages);
  const names = entries.map(({ fileName }) => cleanName(fileName));
  if (names.length === 0) throw expected('images (jpg, png, webp, gif, tif, avif)', path, 'none');
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<Omit<SourceItem, 'label'>> {
    const zip = await openPromise(path, { autoClose: false });
    try {
      for (const [index, entry] of entries.entries()) {
        if (wanted(index)) yield { index, id: names[index], image: await read(zip, entry) };
      }
    } finally {
      zip.close();
    }
  }
  return { names, items };
}

async function withZip<T>(path: string, use: (zip: ZipFile) => Promise<T>): Promise<T> {
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(path, { autoClose: false });
    return await use(zip);
  } catch (error) {
    throw expected('a sound zip archive', path, (error as Error).message, 'the file is damaged or cut short');
  } finally {
    zip?.close();
  }
}

async function listImages(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    if (!entry.fileName.endsWith('/') && isImageName(cleanName(entry.fileName))) entries.push(entry);
  }
  return entries;
}

/** A member that cannot be read is reported like an image that cannot be decoded. */
async function read(zip: ZipFile, entry: Entry): Promise<SourceImage> {
  if (entry.uncompressedSize > LARGEST_MEMBER) {
    return { error: `${entry.uncompressedSize} bytes are more than an image may have` };
  }
  try {
    const chunks: Uint8Array[] = [];
    // The reader itself stops when more bytes come out than the directory promised.
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Uint8Array);
    return { bytes: Buffer.concat(chunks) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
