/** Images that lie in an array: [n, height, width, channels], or [n, height, width] of grey ones. */
import { expected } from '../../errors.js';
import { type Channels, withChannels } from '../pixels.js';
import type { ImageOptions, WantedImage } from './image-set.js';

/** Checks the shape and gives the conversion to the channels wanted. */
export function arrayShape(shape: readonly number[], path: string, options: ImageOptions) {
  const [count, height, width, own = 1] = shape;
  if (shape.length < 3 || shape.length > 4 || (own !== 1 && own !== 3) || height * width === 0) {
    const planes = shape.length === 4 && (shape[1] === 3 || shape[1] === 1);
    const hint = planes ? 'channels come last: array.transpose(0, 2, 3, 1)' : 'save one array of all images';
    throw expected('images of shape [n, height, width, 1 or 3] or [n, height, width]', path, `[${shape}]`, hint);
  }
  if (count === 0) throw expected('at least one image', path, 'none');
  const { resolution, channels = own as Channels } = options;
  if (resolution && (height !== resolution || width !== resolution)) {
    const size = `${resolution} x ${resolution}`;
    throw expected(`images of ${size}`, path, `${width} x ${height}`, 'prepare them at that resolution');
  }
  const convert = (data: Uint8Array) => {
    const rows = data.length / (width * own);
    return withChannels({ data, height: rows, width, channels: own as Channels }, channels).data;
  };
  return { extents: { count, height, width, channels }, convert };
}

export function checkPixelType(dtype: string, path: string): void {
  if (dtype === 'uint8') return;
  throw expected('uint8 images, values 0 to 255', path, dtype, 'scale to 0..255, round, and save as uint8');
}

/** @throws UserError unless the size is one that the network takes */
export function checkSize(wanted: WantedImage, height: number, width: number, name: string): void {
  if (height === (wanted.height ?? height) && width === (wanted.width ?? width)) return;
  const size = `${wanted.width ?? 'any'} x ${wanted.height ?? 'any'}`;
  throw expected(
    `images of ${size} as the network takes`,
    name,
    `${width} x ${height}`,
    'prepare them at that resolution',
  );
}

/** The side of the square that a network takes; undefined where it takes something else. */
export function squareOf({ height, width }: WantedImage): number | undefined {
  return height !== undefined && height === width ? height : undefined;
}

/** Ids of images that have no names. */
export function numbered(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(first + i));
}
