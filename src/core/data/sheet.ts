/** Many small images on one sheet. */

export interface SheetOptions {
  /** Of every image. */
  height: number;
  width: number;
  channels: number;
  /** Images in a row; default: as square a sheet as the count allows. */
  columns?: number;
  /** Black pixels between neighbours, default 0. */
  gap?: number;
}

export interface Sheet {
  data: Uint8Array;
  height: number;
  width: number;
  channels: number;
}

/** Lays uint8 images [height, width, channels] out in reading order; places left over stay black. */
export function sheet(images: readonly Uint8Array[], options: SheetOptions): Sheet {
  const { height, width, channels, gap = 0 } = options;
  const columns = options.columns ?? Math.max(1, Math.ceil(Math.sqrt(images.length)));
  const rows = Math.ceil(images.length / columns);
  const sheetWidth = columns * (width + gap) - gap;
  const sheetHeight = Math.max(rows * (height + gap) - gap, 0);
  const data = new Uint8Array(sheetHeight * sheetWidth * channels);
  const rowLength = width * channels;
  images.forEach((image, index) => {
    if (image.length !== height * rowLength) {
      throw new RangeError(`image ${index} has ${image.length} values, not ${height} x ${width} x ${channels}`);
    }
    const top = Math.floor(index / columns) * (height + gap);
    const left = (index % columns) * (width + gap);
    for (let y = 0; y < height; y++) {
      data.set(image.subarray(y * rowLength, (y + 1) * rowLength), ((top + y) * sheetWidth + left) * channels);
    }
  });
  return { data, height: sheetHeight, width: sheetWidth, channels };
}

/** The images of a batch [n, height, width, channels], as views of it. */
export function imagesOf(batch: Uint8Array, imageLength: number): Uint8Array[] {
  return Array.from({ length: Math.floor(batch.length / imageLength) }, (_, i) =>
    batch.subarray(i * imageLength, (i + 1) * imageLength),
  );
}
