/** The formula of fixtures/metrics/make-scores.py: features of any number without a file. */

/** [n, width]: columns of falling scale, each leaning on the one before, far from 0. */
export function formulaRows(seed: number, n: number, width: number): Float32Array {
  const values = Float64Array.from({ length: n * width }, (_, i) => {
    let h = (i + seed * 1_000_003) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32 + 0.1 * seed;
  });
  return Float32Array.from(values, (value, i) => {
    const column = i % width;
    return (value + (column > 0 ? 0.5 * values[i - 1] : 0)) / Math.sqrt(column + 1) + 1;
  });
}
