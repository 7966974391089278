/** The images of an archive, in its order, read member by member and never unpacked to disk. */
import { expected } from '../../errors.js';
import { sha256File } from '../../formats/digest.js';
import { type ArchiveImages, labelMembers } from '../sources/archive.js';
import { type EncodedImage, encodedImages } from './encoded-images.js';
import type { FoundImages, ImageRange } from './image-set.js';

export function archiveImages(kind: 'zip' | 'tar', path: string, archive: ArchiveImages): FoundImages {
  const { names } = archive;
  async function* items({ first, end }: ImageRange): AsyncGenerator<EncodedImage> {
    for await (const { id, image } of archive.items((index) => index >= first && index < end)) {
      const name = `${id} in ${path}`;
      if ('error' in image) throw expected('an image', name, image.error, 'remove or repair the file');
      if ('bytes' in image) yield { id, name, image: image.bytes };
    }
  }
  return encodedImages({
    kind,
    path,
    count: names.length,
    items,
    digest: () => sha256File(path),
    labels: () => labelMembers(names, path),
  });
}
