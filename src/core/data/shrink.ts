/** Making uint8 images smaller by whole factors. */

interface Shape {
  height: number;
  width: number;
  channels: number;
}

/**
 * Each pixel becomes the mean of factor × factor pixels, rounded to the nearest level.
 * @param images [n, height, width, channels]; both sides are multiples of `factor`
 */
export function shrink(images: Uint8Array, { height, width, channels }: Shape, factor: number): Uint8Array {
  if (factor === 1) return images;
  const [rows, columns] = [height / factor, width / factor];
  const result = new Uint8Array(images.length / factor ** 2);
  const rowLength = width * channels;
  for (let row = 0; row < result.length / (columns * channels); row++) {
    const image = Math.floor(row / rows);
    const top = (image * height + (row % rows) * factor) * rowLength;
    for (let column = 0; column < columns; column++) {
      for (let channel = 0; channel < channels; channel++) {
        const corner = top + column * factor * channels + channel;
        let sum = 0;
        for (let y = 0; y < factor; y++) {
          for (let x = 0; x < factor; x++) sum += images[corner + y * rowLength + x * channels];
        }
        result[(row * columns + column) * channels + channel] = Math.round(sum / factor ** 2);
      }
    }
  }
  return result;
}
