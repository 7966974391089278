/**
 * Images at the network's size, as three programs bring them there. They differ by many grey levels, and so do the
 * distances: numbers compare within one mode only. The arithmetic is ours, since general image libraries resize
 * otherwise.
 */
import type { Mode } from './modes.js';
import { SIDE } from './network.js';

/** The samples that each output sample is a weighted sum of: `count` of them from `first[i]` on. */
interface Taps {
  count: number;
  first: Int32Array;
  /** [outputs, count] */
  weights: Float64Array;
}

/** What a grey level becomes: level · scale + shift. */
export interface Scaling {
  scale: number;
  shift: number;
}

/** Of the network of 2015, by mode. */
export const SCALING: Record<Mode, Scaling> = {
  tf: { scale: 1 / 128, shift: -1 },
  clean: { scale: 1 / 128, shift: -1 },
  pytorch: { scale: 2 / 255, shift: -1 },
};

/** One image uint8 [h,w,1 or 3] → what a network takes, float32 [299,299,3], written to `target`. */
export function prepare(
  image: Uint8Array,
  [h, w, c]: readonly [number, number, number],
  mode: Mode,
  target: Float32Array,
  { scale, shift }: Scaling = SCALING[mode],
): void {
  const resized = resize(image, [h, w, c], mode);
  const largest = mode === 'clean' ? 255 : Infinity;
  const smallest = mode === 'clean' ? 0 : -Infinity;
  const copies = 3 / c;
  for (let i = 0, at = 0; i < resized.length; i++) {
    const value = Math.min(largest, Math.max(smallest, resized[i])) * scale + shift;
    for (let copy = 0; copy < copies; copy++) target[at++] = value;
  }
}

/** uint8 [h,w,c] → float32 [side,side,c] in grey levels; bicubic may leave 0..255. */
export function resize(
  image: Uint8Array,
  [h, w, c]: readonly [number, number, number],
  mode: Mode,
  side = SIDE,
): Float32Array {
  const rows = taps(mode, h, side);
  const columns = w === h ? rows : taps(mode, w, side);
  return alongRows(alongColumns(image, [h, w, c], columns, side), side * c, rows, side);
}

/** [h,w,c] → [h,side,c] */
function alongColumns(image: Uint8Array, [h, w, c]: readonly number[], columns: Taps, side: number): Float32Array {
  const result = new Float32Array(h * side * c);
  const along = c === 1 ? greyAlong : colourAlong;
  for (let y = 0; y < h; y++) {
    along(image.subarray(y * w * c, (y + 1) * w * c), columns, result.subarray(y * side * c, (y + 1) * side * c));
  }
  return result;
}

function greyAlong(row: Uint8Array, { count, first, weights }: Taps, result: Float32Array): void {
  for (let x = 0, tap = 0; x < result.length; x++) {
    let sum = 0;
    for (let from = first[x]; from < first[x] + count; from++, tap++) sum += weights[tap] * row[from];
    result[x] = sum;
  }
}

/** Its three sums at once are worth a function of their own: large images take half the time. */
function colourAlong(row: Uint8Array, { count, first, weights }: Taps, result: Float32Array): void {
  for (let x = 0, at = 0, tap = 0; at < result.length; x++) {
    let [red, green, blue] = [0, 0, 0];
    for (let from = 3 * first[x]; from < 3 * (first[x] + count); from += 3, tap++) {
      const weight = weights[tap];
      red += weight * row[from];
      green += weight * row[from + 1];
      blue += weight * row[from + 2];
    }
    result[at++] = red;
    result[at++] = green;
    result[at++] = blue;
  }
}

/** [h,width] → [side,width] */
function alongRows(image: Float32Array, width: number, { count, first, weights }: Taps, side: number): Float32Array {
  const result = new Float32Array(side * width);
  const sums = new Float64Array(width);
  for (let y = 0; y < side; y++) {
    sums.fill(0);
    for (let tap = 0; tap < count; tap++) {
      const weight = weights[y * count + tap];
      const start = (first[y] + tap) * width;
      for (let x = 0; x < width; x++) sums[x] += weight * image[start + x];
    }
    result.set(sums, y * width);
  }
  return result;
}

function taps(mode: Mode, size: number, outputs: number): Taps {
  const scale = size / outputs;
  if (mode === 'clean') return bicubic(size, outputs);
  // Both programs compute places in single precision.
  if (mode === 'tf') return bilinear(size, outputs, (i) => Math.fround(i * Math.fround(scale)));
  return bilinear(size, outputs, (i) => Math.max(0, Math.fround(Math.fround(scale) * (i + 0.5) - 0.5)));
}

/** Between the two samples around each place. */
function bilinear(size: number, outputs: number, placeOf: (output: number) => number): Taps {
  const count = Math.min(2, size);
  const first = new Int32Array(outputs);
  const weights = new Float64Array(outputs * count);
  for (let i = 0; i < outputs; i++) {
    const place = Math.min(placeOf(i), size - 1);
    first[i] = Math.min(Math.floor(place), size - count);
    const beyond = Math.fround(place - first[i]);
    weights[i * count] = 1 - beyond;
    if (count === 2) weights[i * count + 1] = beyond;
  }
  return { count, first, weights };
}

/**
 * Keys's cubic, a = −1/2, widened to the size of an output where the image shrinks; weights sum to 1 at the edges too.
 */
function bicubic(size: number, outputs: number): Taps {
  const scale = size / outputs;
  const wide = Math.max(1, scale);
  const support = 2 * wide;
  const count = Math.min(size, Math.ceil(2 * support) + 1);
  const first = new Int32Array(outputs);
  const weights = new Float64Array(outputs * count);
  for (let i = 0; i < outputs; i++) {
    const centre = (i + 0.5) * scale;
    const low = Math.max(0, Math.floor(centre - support + 0.5));
    const high = Math.min(size, Math.floor(centre + support + 0.5));
    first[i] = Math.min(low, size - count);
    let sum = 0;
    for (let sample = low; sample < high; sample++) {
      const weight = cubic((sample + 0.5 - centre) / wide);
      weights[i * count + sample - first[i]] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < count; tap++) weights[i * count + tap] /= sum;
  }
  return { count, first, weights };
}

function cubic(x: number): number {
  const d = Math.abs(x);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}
