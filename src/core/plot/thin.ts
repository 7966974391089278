/** A line with no more points than the eye can distinguish. */
export interface Line {
  x: number[];
  y: number[];
}

/**
 * Of the points that fall into one of `columns` strips of the width, only the first, the lowest, the highest and the
 * last.
 */
export function thinned({ x, y }: Line, columns: number): Line {
  if (x.length <= 4 * columns) return { x, y };
  const [from, to] = [x[0], x.at(-1)!];
  const strip = (i: number) => Math.min(columns - 1, Math.floor(((x[i] - from) / (to - from)) * columns));
  const kept: number[] = [];
  for (let start = 0; start < x.length; ) {
    let [end, low, high] = [start, start, start];
    for (; end < x.length && strip(end) === strip(start); end++) {
      if (y[end] < y[low]) low = end;
      if (y[end] > y[high]) high = end;
    }
    kept.push(...[...new Set([start, low, high, end - 1])].sort((a, b) => a - b));
    start = end;
  }
  return { x: kept.map((i) => x[i]), y: kept.map((i) => y[i]) };
}
