/** Encoded images to pixels and back: the only file that knows sharp. */
import sharp, { type Sharp, type SharpOptions } from 'sharp';
import { UserError } from '../errors.js';
import { type Channels, type Pixels, padToSquare, withChannels } from './pixels.js';

/** How an image is brought to a square: see `fit`. */
export const RESIZE_METHODS = ['center-crop', 'squash', 'pad'] as const;
export type ResizeMethod = (typeof RESIZE_METHODS)[number];

export interface Fit {
  /** Side of the square in pixels. */
  resolution: number;
  resize: ResizeMethod;
  channels: Channels;
}

/** Said in every manifest, since resampling changes what is measured later. */
export const RESAMPLING = 'lanczos3 with antialiasing to shrink, bicubic to enlarge';
export const CONVERSIONS =
  'EXIF orientation applied; alpha over black; 16 bits to 8 by the high byte; colour profiles ignored except those of CMYK; grey by BT.601 luma; first frame';

/** Larger images are refused before their pixels are allocated. */
export const LARGEST_IMAGE_PIXELS = 100_000_000;

// Every image is decoded once, so a cache would only hold memory. Formats that are programs of their own are shut out.
const DRAWINGS = ['VipsForeignLoadSvg'];
sharp.cache(false);
sharp.block({ operation: [...DRAWINGS, 'VipsForeignLoadPdf', 'VipsForeignLoadMagick', 'VipsForeignLoadOpenslide'] });

/** Where the extension is not the name that sharp gives the format. */
const EXTENSIONS: Record<string, string> = { jpeg: 'jpg', tiff: 'tif', heif: 'avif' };

const INPUT: SharpOptions = {
  limitInputPixels: LARGEST_IMAGE_PIXELS,
  // Cut-short and broken files fail; harmless oddities that other decoders pass over do not.
  failOn: 'error',
  ignoreIcc: true,
};

/**
 * Decodes an encoded image (bytes or a path) to uint8 pixels, resolution x resolution x channels.
 * - center-crop: the shorter side is scaled to the resolution, the centre is kept;
 * - squash: both sides are scaled to the resolution;
 * - pad: an image larger than the square is shrunk to fit, none is enlarged; it lies in the centre on black.
 */
export async function decodeImage(input: Uint8Array | string, fit: Fit): Promise<Uint8Array> {
  await checkSamples(input);
  return (await fitSharp(sharp(input, INPUT).autoOrient(), fit)).data;
}

/** The same for pixels that are decoded already; without resampling no decoder is involved. */
export async function fitPixels(image: Pixels, fit: Fit): Promise<Uint8Array> {
  const { resolution, resize, channels } = fit;
  const { data, height, width } = image;
  const same = height === resolution && width === resolution;
  if (same || (resize === 'pad' && height <= resolution && width <= resolution)) {
    return padToSquare(withChannels(image, channels), resolution).data;
  }
  return (await fitSharp(sharp(data, { raw: { height, width, channels: image.channels } }), fit)).data;
}

/** A part of an image in pixels, after its EXIF orientation is applied. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface CropFit {
  /** The part to take of an image of this size. */
  box(height: number, width: number): Box;
  /** sharp's resampling; both have antialiasing to shrink. */
  kernel: 'cubic' | 'linear';
  /** Side of the square that the part is brought to. */
  resolution: number;
  channels: Channels;
}

/** A part of an encoded image or of pixels, as uint8 resolution x resolution x channels. */
export async function cropImage(
  input: Uint8Array | Pixels,
  { box, kernel, resolution, channels }: CropFit,
): Promise<Uint8Array> {
  const encoded = input instanceof Uint8Array;
  const image = encoded ? sharp(input, INPUT).autoOrient() : sharp(input.data, { raw: input });
  const { height, width } = encoded ? (await image.metadata()).autoOrient : input;
  const part = image.extract(box(height, width));
  const resized = part.resize(resolution, resolution, { fit: 'fill', kernel, fastShrinkOnLoad: false });
  return withChannels(await pixelsOf(resized), channels).data;
}

/**
 * Decodes an encoded image to its end, as a check, and gives the usual extension of its format; it is not held whole.
 */
export async function checkImage(bytes: Uint8Array): Promise<string> {
  await decodeImage(bytes, { resolution: 1, resize: 'squash', channels: 3 });
  const { format } = await sharp(bytes, INPUT).metadata();
  return EXTENSIONS[format] ?? format;
}

/** Decodes without resizing; the channels are 1 for grey images and 3 for others unless stated. */
export async function decodeAsIs(input: Uint8Array | string, channels?: Channels): Promise<Pixels> {
  const space = await checkSamples(input);
  const image = sharp(input, INPUT).autoOrient();
  const grey = space === 'b-w' || space === 'grey16';
  return withChannels(await pixelsOf(image), channels ?? (grey ? 1 : 3));
}

/** Samples that become 8 bits by a rule: unsigned of 8 bits as they are, of 16 bits by the high byte. */
const DEPTHS: readonly string[] = ['uchar', 'ushort'];

/**
 * Gives the colour space. @throws for samples that would be cut off without a word: floating point, signed, of
 * 32 bits, or of more bands than colour, alpha or CMYK
 */
async function checkSamples(input: Uint8Array | string): Promise<string> {
  const { depth, channels, space } = await sharp(input, INPUT).metadata();
  if (!DEPTHS.includes(depth)) {
    throw new Error(`samples of type ${depth}, not unsigned of 8 or 16 bits: scale it to 8 bits`);
  }
  if (channels > 4 || (channels === 4 && space === 'multiband')) {
    throw new Error(`${channels} bands, not grey or colour: save it as RGB`);
  }
  return space;
}

/** Encodes uint8 pixels, height x width x channels (1 or 3), as PNG. */
export async function encodePng(pixels: Uint8Array, height: number, width: number, channels: number): Promise<Buffer> {
  const image = sharp(pixels, { raw: { height, width, channels: channels as Channels }, limitInputPixels: false });
  return (channels === 1 ? image.toColourspace('b-w') : image).png({ compressionLevel: 6 }).toBuffer();
}

/**
 * An SVG of this program's own as PNG, each of its pixels `scale` pixels wide. SVGs from elsewhere stay shut out.
 * @throws UserError if there is no font, without which text would be missing
 */
export async function renderSvg(svg: string, scale: number): Promise<Buffer> {
  sharp.unblock({ operation: DRAWINGS });
  try {
    if (!(await hasFont())) {
      throw new UserError('a PNG needs a font for its text, and none is installed', {
        hint: 'write .svg, or install a font such as fonts-dejavu-core',
      });
    }
    return await sharp(Buffer.from(svg), { density: 72 * scale, limitInputPixels: false })
      .flatten({ background: '#fff' })
      .png()
      .toBuffer();
  } finally {
    sharp.block({ operation: DRAWINGS });
  }
}

/** Without a font all letters are the same box, or nothing. */
async function hasFont(): Promise<boolean> {
  const drawn = (letter: string) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text x="9" y="31" font-size="30">${letter}</text></svg>`;
    return sharp(Buffer.from(svg)).raw().toBuffer();
  };
  return !(await drawn('1')).equals(await drawn('8'));
}

async function fitSharp(image: Sharp, { resolution, resize, channels }: Fit): Promise<Pixels> {
  const fit = resize === 'center-crop' ? 'cover' : resize === 'squash' ? 'fill' : 'inside';
  const resized = image.resize(resolution, resolution, {
    fit,
    withoutEnlargement: resize === 'pad',
    kernel: 'lanczos3',
    fastShrinkOnLoad: false,
  });
  return padToSquare(withChannels(await pixelsOf(resized), channels), resolution);
}

async function pixelsOf(image: Sharp): Promise<Pixels> {
  const { data, info } = await image
    .flatten({ background: '#000' })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { height, width } = info;
  return {
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    height,
    width,
    channels: info.channels as Channels,
  };
}
