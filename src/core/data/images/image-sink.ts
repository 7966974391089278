/** Where generated images go: a folder of PNGs, one sheet, an .npy file, or an .npy stream. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beginFolder, writeAtomic } from '../../formats/atomic.js';
import { refuseExisting } from '../../formats/exists.js';
import { createNpyWriter, npyHeader } from '../../formats/npy/npy.js';
import { checkReplaceable, type FolderKind, hasFormat } from '../../formats/own-folder.js';
import { encodePng } from '../codec.js';
import { imagesOf, sheet } from '../sheet.js';

export interface ImageSink {
  /** uint8 [n,h,w,c], any n. */
  append(images: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

export interface ImageSinkOptions {
  /** Images in all. */
  count: number;
  height: number;
  width: number;
  channels: number;
  /** Columns of a sheet. */
  columns?: number;
  force?: boolean;
  /** File name of image i in a folder. */
  name: (index: number) => string;
  /** Writes to standard output. */
  stdout: (bytes: Uint8Array) => Promise<void>;
}

const MARKER = 'images.json';
const FORMAT = 'bigbigan images 1';

/** A folder of generated images. */
const IMAGES_FOLDER: FolderKind = {
  marker: MARKER,
  // The first of these folders had no format.
  isOurs: (text) => hasFormat(FORMAT)(text) || /^\{"count":\d+,"height":\d+,"width":\d+,"channels":\d\}\s*$/.test(text),
  holds: (name) => /^seed\d{4,}\.png$/.test(name),
};

/** Whether `out` may be written, before the work that makes the images. */
export async function checkImageSink(out: string, force?: boolean): Promise<void> {
  if (out === '-') return;
  if (/\.(npy|png)$/i.test(out)) await refuseExisting(out, force);
  else await checkReplaceable(out, { force, kind: IMAGES_FOLDER });
}

export async function openImageSink(out: string, options: ImageSinkOptions): Promise<ImageSink> {
  if (out === '-') return openStream(options);
  if (/\.npy$/i.test(out)) return openArray(out, options);
  if (/\.png$/i.test(out)) return openSheet(out, options);
  return openFolder(out, options);
}

async function openStream({ count, height, width, channels, stdout }: ImageSinkOptions): Promise<ImageSink> {
  await stdout(npyHeader('uint8', [count, height, width, channels]));
  return { append: stdout, close: async () => {}, abort: async () => {} };
}

async function openArray(out: string, { height, width, channels, force }: ImageSinkOptions): Promise<ImageSink> {
  await refuseExisting(out, force);
  const { append, close, abort } = await createNpyWriter(out, 'uint8', [height, width, channels]);
  return { append, close, abort };
}

async function openSheet(
  out: string,
  { height, width, channels, columns, force }: ImageSinkOptions,
): Promise<ImageSink> {
  await refuseExisting(out, force);
  const all: Uint8Array[] = [];
  return {
    append: async (images) => {
      all.push(...imagesOf(images, height * width * channels));
    },
    close: async () => {
      const grid = sheet(all, { height, width, channels, columns });
      const png = await encodePng(grid.data, grid.height, grid.width, channels);
      await writeAtomic(out, async (handle) => {
        await handle.writeFile(png);
      });
    },
    abort: async () => {},
  };
}

async function openFolder(
  out: string,
  { height, width, channels, force, name, count }: ImageSinkOptions,
): Promise<ImageSink> {
  const folder = await beginFolder(out, { force, kind: IMAGES_FOLDER });
  let written = 0;
  return {
    append: async (images) => {
      const parts = imagesOf(images, height * width * channels);
      await Promise.all(
        parts.map(async (pixels, i) =>
          writeFile(join(folder.path, name(written + i)), await encodePng(pixels, height, width, channels)),
        ),
      );
      written += parts.length;
    },
    close: async () => {
      await writeFile(
        join(folder.path, MARKER),
        `${JSON.stringify({ format: FORMAT, count, height, width, channels })}\n`,
      );
      await folder.commit();
    },
    abort: folder.abort,
  };
}
