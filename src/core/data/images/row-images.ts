/** Images that can be read by their numbers, all of one size: an .npy file, or a dataset of pixels. */
import { orClose } from '../or-close.js';
import type { Channels } from '../pixels.js';
import { checkSize, squareOf } from './array-images.js';
import type { FoundImages, ImageOptions, ImageRange, ImageSet, NetworkBatch, NetworkImages } from './image-set.js';

export interface RowImages extends Pick<FoundImages, 'kind' | 'path' | 'count'> {
  open(options: ImageOptions): Promise<ImageSet & Required<Pick<ImageSet, 'random'>>>;
  /** How the images came to their size, where that is known. */
  resize?: string;
}

export function rowImages({ kind, path, count, open, resize }: RowImages): FoundImages {
  const openForNetwork = async (wanted: Parameters<FoundImages['openForNetwork']>[0]): Promise<NetworkImages> => {
    const images = await open({ resolution: squareOf(wanted), channels: wanted.channels as Channels | undefined });
    const { height, width, channels, digest, close } = images;
    await orClose(images, () => checkSize(wanted, height, width, path));
    async function* batches(size: number, { first, end }: ImageRange): AsyncGenerator<NetworkBatch> {
      for (let at = first; at < end; at += size) {
        const indices = Array.from({ length: Math.min(size, end - at) }, (_, i) => at + i);
        yield { data: await images.random(indices), shape: [indices.length, height, width, channels] };
      }
    }
    return { kind, count, digest, ...(resize !== undefined && { resize }), batches, close };
  };
  return { kind, path, count, open, openForNetwork };
}
