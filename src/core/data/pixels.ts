/** Plain arithmetic on uint8 pixels, height x width x channels. */

export type Channels = 1 | 3;

export interface Pixels {
  data: Uint8Array;
  height: number;
  width: number;
  channels: Channels;
}

/**
 * Grey to colour by repetition; colour to grey by the luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, in the
 * 16-bit fixed point of Pillow's `convert('L')`.
 */
export function withChannels(image: Pixels, channels: Channels): Pixels {
  if (image.channels === channels) return image;
  const { data, height, width } = image;
  const count = height * width;
  const target = new Uint8Array(count * channels);
  for (let i = 0; i < count; i++) {
    if (channels === 3) target.fill(data[i], 3 * i, 3 * i + 3);
    else target[i] = (19595 * data[3 * i] + 38470 * data[3 * i + 1] + 7471 * data[3 * i + 2] + 0x8000) >> 16;
  }
  return { data: target, height, width, channels };
}

/**
 * The image in the centre of a black square of `size`, which must hold it; an odd pixel goes to the right and below.
 */
export function padToSquare(image: Pixels, size: number): Pixels {
  const { data, height, width, channels } = image;
  if (height === size && width === size) return image;
  const target = new Uint8Array(size * size * channels);
  const top = (size - height) >> 1;
  const left = (size - width) >> 1;
  const rowLength = width * channels;
  for (let y = 0; y < height; y++) {
    target.set(data.subarray(y * rowLength, (y + 1) * rowLength), ((top + y) * size + left) * channels);
  }
  return { data: target, height: size, width: size, channels };
}
