/** Rows of features that may be too many for memory, and the same rows transformed as they are read. */

export interface Rows {
  rows: number;
  width: number;
  /** `count` rows from `first` on, [count, width]. */
  read(first: number, count: number): Promise<Float32Array>;
}

/** Elements of a chunk: 64 MB. */
const CHUNK = 1 << 24;
const CHUNK_ROWS = 8192;

/** All rows in order, in chunks that fit in memory whatever the width; the next one is read while one is used. */
export async function* chunks(
  source: Rows,
  elements = CHUNK,
  most = CHUNK_ROWS,
): AsyncGenerator<{ first: number; count: number; data: Float32Array }> {
  const size = Math.max(1, Math.min(most, Math.floor(elements / source.width)));
  const read = (first: number) => {
    const rows = first < source.rows ? source.read(first, Math.min(size, source.rows - first)) : undefined;
    // What fails is reported when it is awaited.
    rows?.catch(() => {});
    return rows;
  };
  let next = read(0);
  for (let first = 0; first < source.rows; first += size) {
    const data = (await next)!;
    next = read(first + size);
    yield { first, count: Math.min(size, source.rows - first), data };
  }
}

/** The rows of these numbers, in their order: [indices, width]. */
export async function gather({ width, read }: Rows, indices: ArrayLike<number>): Promise<Float32Array> {
  const result = new Float32Array(indices.length * width);
  const place = async (index: number, at: number) => result.set(await read(index, 1), at * width);
  await Promise.all(Array.from(indices, place));
  return result;
}

/** Rows that are in memory. */
export function rowsOf(data: Float32Array, width: number): Rows {
  const read = async (first: number, count: number) => data.subarray(first * width, (first + count) * width);
  return { rows: data.length / width, width, read };
}

export interface ColumnMoments {
  /** [width] */
  mean: Float64Array;
  /** [width], divided by the number of rows. */
  variance: Float64Array;
}

/**
 * Mean and variance of each column over all rows. Sums are of differences to the first row, which a large mean does not
 * blur.
 */
export async function columnMoments(source: Rows): Promise<ColumnMoments> {
  const { rows, width } = source;
  let origin: Float32Array | undefined;
  const sums = new Float64Array(width);
  const squares = new Float64Array(width);
  for await (const { data } of chunks(source)) {
    origin ??= data.slice(0, width);
    let at = 0;
    // Four rows at once: the sums are read and written a quarter as often.
    for (; at + 4 * width <= data.length; at += 4 * width) {
      for (let j = 0; j < width; j++) {
        const i = at + j;
        const a = data[i] - origin[j];
        const b = data[i + width] - origin[j];
        const c = data[i + 2 * width] - origin[j];
        const d = data[i + 3 * width] - origin[j];
        sums[j] += a + b + (c + d);
        squares[j] += a * a + b * b + (c * c + d * d);
      }
    }
    for (; at < data.length; at += width) {
      for (let j = 0; j < width; j++) {
        const shift = data[at + j] - origin[j];
        sums[j] += shift;
        squares[j] += shift * shift;
      }
    }
  }
  const mean = sums.map((sum, j) => origin![j] + sum / rows);
  return { mean, variance: squares.map((square, j) => Math.max(0, square / rows - (sums[j] / rows) ** 2)) };
}

export interface Standardisation {
  /** Float32 numbers, so that the difference to a feature is the same in single and in double precision. */
  mean: Float64Array;
  /** One over the standard deviation; 0 for a column that never changes, which carries nothing. */
  factor: Float64Array;
}

export function standardisation({ mean, variance }: ColumnMoments): Standardisation {
  return { mean: mean.map(Math.fround), factor: variance.map((value) => (value > 0 ? 1 / Math.sqrt(value) : 0)) };
}

/** (x - mean)·factor, column by column. */
export function affine(source: Rows, scaling: Standardisation): Rows {
  const { rows, width } = source;
  return { rows, width, read: async (first, count) => scaled(await source.read(first, count), scaling) };
}

/** The same for rows that are in memory, [n, width]. */
export function scaled(data: Float32Array, { mean, factor }: Standardisation): Float32Array {
  const width = mean.length;
  const result = new Float32Array(data.length);
  for (let at = 0; at < data.length; at += width) {
    for (let j = 0; j < width; j++) result[at + j] = (data[at + j] - mean[j]) * factor[j];
  }
  return result;
}

/** [ReLU(h), ReLU(-h)] for h = (x - mean)·factor, of twice the width: BigBiGAN's BN+CReLU of AvePool features. */
export function bnCrelu(source: Rows, normalisation: Standardisation): Rows {
  const { rows, width } = source;
  return {
    rows,
    width: 2 * width,
    read: async (first, count) => crelu(scaled(await source.read(first, count), normalisation), width),
  };
}

/** [ReLU(h), ReLU(-h)] of rows h, [n, width] → [n, 2·width]. */
export function crelu(data: Float32Array, width: number): Float32Array {
  const result = new Float32Array(2 * data.length);
  for (let at = 0; at < data.length; at += width) {
    for (let j = 0; j < width; j++) {
      result[2 * at + j] = Math.max(data[at + j], 0);
      result[2 * at + width + j] = Math.max(-data[at + j], 0);
    }
  }
  return result;
}
