/**
 * Sums over four rows at once, in double precision: an addition waits for the one before it, and four can wait
 * together. Each sum has the bits that it has alone. `y` holds the rows, `at` where they begin.
 */
export type Four = readonly [number, number, number, number];

/** Σ x·y */
export function products(x: Float64Array, y: Float32Array, [a, b, c, d]: Four): Four {
  let [p, q, r, s] = [0, 0, 0, 0];
  for (let j = 0; j < x.length; j++) {
    p += x[j] * y[a + j];
    q += x[j] * y[b + j];
    r += x[j] * y[c + j];
    s += x[j] * y[d + j];
  }
  return [p, q, r, s];
}

/** Σ (x - y·g)², each row with its own g. */
export function squareDifferences(x: Float64Array, y: Float32Array, [a, b, c, d]: Four, [e, f, g, h]: Four): Four {
  let [p, q, r, s] = [0, 0, 0, 0];
  for (let j = 0; j < x.length; j++) {
    const value = x[j];
    const k = value - y[a + j] * e;
    const l = value - y[b + j] * f;
    const m = value - y[c + j] * g;
    const n = value - y[d + j] * h;
    p += k * k;
    q += l * l;
    r += m * m;
    s += n * n;
  }
  return [p, q, r, s];
}

/** Σ y² of every row [n, width]. */
export function squareSums(y: Float32Array, width: number): Float64Array {
  const sums = new Float64Array(y.length / width);
  for (const four of fours(sums.length)) {
    const [a, b, c, d] = [four[0] * width, four[1] * width, four[2] * width, four[3] * width];
    let [p, q, r, s] = [0, 0, 0, 0];
    for (let j = 0; j < width; j++) {
      p += y[a + j] * y[a + j];
      q += y[b + j] * y[b + j];
      r += y[c + j] * y[c + j];
      s += y[d + j] * y[d + j];
    }
    [p, q, r, s].forEach((sum, n) => (sums[four[n]] = sum));
  }
  return sums;
}

/** The numbers below `count` in fours, the last one repeated where there are fewer. */
export function* fours(count: number): Generator<Four> {
  const last = count - 1;
  for (let n = 0; n < count; n += 4) yield [n, Math.min(n + 1, last), Math.min(n + 2, last), Math.min(n + 3, last)];
}
