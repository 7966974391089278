/** Encoded images, one after another: of a folder or an archive, or of a dataset that keeps their own bytes. */
import { expected } from '../../errors.js';
import { decodeAsIs, decodeImage, RESAMPLING } from '../codec.js';
import { type Channels, type Pixels, withChannels } from '../pixels.js';
import { checkSize, squareOf } from './array-images.js';
import { explained } from './explained.js';
import type {
  FoundImages,
  ImageBatch,
  ImageOptions,
  ImageRange,
  ImageSet,
  NetworkBatch,
  NetworkImages,
  WantedImage,
} from './image-set.js';
import { DECODERS, mapOrdered } from './ordered.js';

export interface EncodedImage {
  id: string;
  /** For errors. */
  name: string;
  /** Its bytes or the path of its file. */
  image: Uint8Array | string;
}

export interface EncodedSet extends Pick<FoundImages, 'kind' | 'path' | 'count'> {
  items(range: ImageRange): AsyncIterable<EncodedImage>;
  digest(): Promise<string>;
  /** Classes by the folders that the images lie in. @throws UserError where only some lie in one */
  labels(): { classes?: string[]; label(id: string): number | undefined };
}

export function encodedImages(set: EncodedSet): FoundImages {
  const { kind, path, count, items, digest } = set;
  return {
    kind,
    path,
    count,
    open: (options) => inOneSize(set, options),
    async openForNetwork(wanted) {
      return { kind, count, digest: await digest(), ...forNetwork(items, wanted), close: async () => {} };
    },
  };
}

/** All in one size, which is the first image's where no other is asked for; so are the channels. */
async function inOneSize(set: EncodedSet, options: ImageOptions): Promise<ImageSet> {
  const { kind, path, count, items, digest } = set;
  const { resolution, resize = 'center-crop' } = options;
  const { classes, label } = set.labels();
  const first = await decodedFirst(items);
  const channels = options.channels ?? first.channels;
  const [height, width] = resolution ? [resolution, resolution] : [first.height, first.width];
  const decode = ({ name, image }: EncodedImage) =>
    explained(name, async () => {
      if (resolution) return decodeImage(image, { resolution, resize, channels });
      const pixels = await decodeAsIs(image);
      if (pixels.height !== height || pixels.width !== width) {
        const found = `${pixels.width} x ${pixels.height} in ${name}`;
        throw expected(`images of one size, ${width} x ${height} as the first`, path, found, PREPARE);
      }
      if (pixels.channels > channels && !options.channels) {
        throw expected('grey images as the first', path, `colour in ${name}`, PREPARE);
      }
      return withChannels(pixels, channels).data;
    });
  async function* batches(size: number): AsyncGenerator<ImageBatch> {
    let batch: { data: Uint8Array[]; ids: string[] } = { data: [], ids: [] };
    const complete = (): ImageBatch => {
      const { data, ids } = batch;
      batch = { data: [], ids: [] };
      const labels = classes && Int32Array.from(ids, (id) => label(id) ?? 0);
      return { data: new Uint8Array(Buffer.concat(data)), count: ids.length, labels, ids };
    };
    const decoded = mapOrdered(items({ first: 0, end: count }), DECODERS, async (item) => ({
      id: item.id,
      data: await decode(item),
    }));
    for await (const { data, id } of decoded) {
      batch.data.push(data);
      batch.ids.push(id);
      if (batch.ids.length === size) yield complete();
    }
    if (batch.ids.length > 0) yield complete();
  }
  const close = async () => {};
  const extents = { count, height, width, channels };
  return { kind, path, ...extents, classes, digest: await digest(), batches, close, [Symbol.asyncDispose]: close };
}

const PREPARE = 'prepare them with bigbigan prep-data';
const LOSSY_NAME = /\.(jpe?g|jpe|jfif|webp|avif|heic)$/i;

async function decodedFirst(items: EncodedSet['items']): Promise<Pixels> {
  for await (const { name, image } of items({ first: 0, end: 1 })) {
    // Before the reading ends, as its bytes may go with it.
    return await explained(name, () => decodeAsIs(image));
  }
  throw new RangeError('a set of images is not empty');
}

/**
 * To the square that the network takes, by prep-data's center-crop, or in sizes of their own; a batch is of one size.
 */
export function forNetwork(
  items: EncodedSet['items'],
  wanted: WantedImage,
): Pick<NetworkImages, 'batches' | 'resize' | 'lossy'> {
  const square = squareOf(wanted);
  const channels = wanted.channels as Channels | undefined;
  let lossy: string | undefined;
  const decode = ({ id, name, image }: EncodedImage) =>
    explained(name, async (): Promise<Pixels> => {
      if (LOSSY_NAME.test(id)) lossy ??= id;
      if (square === undefined) {
        const pixels = await decodeAsIs(image, channels);
        checkSize(wanted, pixels.height, pixels.width, name);
        return pixels;
      }
      const own = channels ?? 3;
      const data = await decodeImage(image, { resolution: square, resize: 'center-crop', channels: own });
      return { data, height: square, width: square, channels: own };
    });
  async function* batches(size: number, range: ImageRange): AsyncGenerator<NetworkBatch> {
    let batch: Pixels[] = [];
    for await (const pixels of mapOrdered(items(range), DECODERS, decode)) {
      if (batch.length > 0 && (batch.length === size || !sameSize(batch[0], pixels))) {
        yield joined(batch);
        batch = [];
      }
      batch.push(pixels);
    }
    if (batch.length > 0) yield joined(batch);
  }
  return {
    batches,
    lossy: () => lossy,
    resize: square === undefined ? undefined : `center-crop to ${square} (${RESAMPLING}) on reading`,
  };
}

function sameSize(a: Pixels, b: Pixels): boolean {
  return a.height === b.height && a.width === b.width && a.channels === b.channels;
}

function joined(batch: Pixels[]): NetworkBatch {
  const [{ height, width, channels }] = batch;
  const data = new Uint8Array(Buffer.concat(batch.map((pixels) => pixels.data)));
  return { data, shape: [batch.length, height, width, channels] };
}
