/** An .npy stream of images, such as `generate --out -` writes. */
import { type NpyStream, readNpyStream } from '../../formats/npy/npy.js';
import type { FoundImages } from './image-set.js';
import { streamedImages } from './streamed-images.js';

export async function findStream(stdin: AsyncIterable<Uint8Array>): Promise<FoundImages> {
  return imagesOfStream(await readNpyStream(stdin));
}

/** Of a stream whose header has been read. */
export function imagesOfStream(stream: NpyStream): FoundImages {
  return streamedImages({
    kind: 'stream',
    path: '-',
    title: 'standard input',
    header: stream.header,
    digest: async () => undefined,
    rows: async () => ({ rows: stream.rows, close: () => {} }),
  });
}
