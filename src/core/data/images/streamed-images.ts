/** Images of an array that is read from its beginning to its end: a stream, or a member of an .npz. */
import type { NpyStream } from '../../formats/npy/npy.js';
import type { Channels } from '../pixels.js';
import { arrayShape, checkPixelType, checkSize, numbered } from './array-images.js';
import type { FoundImages, ImageBatch, ImageKind, ImageRange, NetworkBatch } from './image-set.js';

export interface StreamedArray {
  kind: ImageKind;
  path: string;
  /** Names it in errors. */
  title: string;
  header: NpyStream['header'];
  digest(): Promise<string | undefined>;
  /** Begins to read, from the first row. */
  rows(): Promise<Pick<NpyStream, 'rows'> & { close(): void }>;
}

export function streamedImages({ kind, path, title, header, digest, rows: begin }: StreamedArray): FoundImages {
  checkPixelType(header.dtype, title);
  const { count } = arrayShape(header.shape, title, {}).extents;
  return {
    kind,
    path,
    count,
    async open(options) {
      const { extents, convert } = arrayShape(header.shape, title, options);
      const known = await digest();
      async function* batches(size: number): AsyncGenerator<ImageBatch> {
        const stream = await begin();
        try {
          let first = 0;
          for await (const rows of stream.rows(size)) {
            const count = Math.min(size, extents.count - first);
            yield { data: convert(rows as Uint8Array), count, ids: numbered(first, count) };
            first += count;
          }
        } finally {
          stream.close();
        }
      }
      const close = async () => {};
      return { kind, path, ...extents, digest: known, batches, close, [Symbol.asyncDispose]: close };
    },
    async openForNetwork(wanted) {
      const channels = wanted.channels as Channels | undefined;
      const { extents, convert } = arrayShape(header.shape, title, { channels });
      const { height, width, channels: own } = extents;
      checkSize(wanted, height, width, title);
      const known = await digest();
      const stream = await begin();
      const length = height * width * own;
      async function* batches(size: number, range: ImageRange): AsyncGenerator<NetworkBatch> {
        let at = 0;
        for await (const rows of stream.rows(size)) {
          const data = convert(rows as Uint8Array);
          const [from, to] = [Math.max(range.first - at, 0), Math.min(range.end - at, data.length / length)];
          at += data.length / length;
          if (from >= to) continue;
          yield { data: data.subarray(from * length, to * length), shape: [to - from, height, width, own] };
        }
      }
      return { kind, count, digest: known, batches, close: async () => stream.close() };
    },
  };
}
