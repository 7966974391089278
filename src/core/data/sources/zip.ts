/** A zip archive of images, read member by member, never unpacked to disk. */
import { expected } from '../../errors.js';
import { openZipArchive, type ZipArchive, type ZipMember } from '../../formats/zip/zip.js';
import { type ArchiveImages, archiveSource, cleanName, LARGEST_MEMBER } from './archive.js';
import { isImageName } from './folder.js';
import type { ImageSource, SourceImage, SourceItem } from './source.js';

export async function openZip(path: string): Promise<ImageSource> {
  return archiveSource('zip', path, await openZipImages(path));
}

export async function openZipImages(path: string): Promise<ArchiveImages> {
  const names: string[] = [];
  {
    await using archive = await openZipArchive(path);
    for (const member of archive.members) if (isImage(member)) names.push(cleanName(member.name));
  }
  if (names.length === 0) throw expected('images (jpg, png, webp, gif, tif, avif)', path, 'none');
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<Omit<SourceItem, 'label'>> {
    await using archive = await openZipArchive(path);
    for (const [index, member] of archive.members.filter(isImage).entries()) {
      if (wanted(index)) yield { index, id: names[index], image: await read(archive, member) };
    }
  }
  return { names, items };
}

const isImage = ({ name }: ZipMember) => !name.endsWith('/') && isImageName(cleanName(name));

/** A member that cannot be read is reported like an image that cannot be decoded. */
async function read(archive: ZipArchive, member: ZipMember): Promise<SourceImage> {
  if (member.size > LARGEST_MEMBER) return { error: `${member.size} bytes are more than an image may have` };
  try {
    return { bytes: await archive.read(member) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
