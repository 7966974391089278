/** Round numbers for an axis, and how they are written. */

/** About `count` multiples of 1, 2 or 5 times a power of ten within [low, high]. */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // A product of whole numbers, so that 0.3 does not become 0.30000000000000004.
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** All ticks of an axis with the same decimals and the same unit: 0.5 and 1.0, 50k and 100k, 1e-5 and 2e-5. */
export function tickLabels(values: readonly number[]): string[] {
  const largest = Math.max(...values.map(Math.abs));
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : largest;
  const [unit, suffix] = (
    [
      [1e9, 'G'],
      [1e6, 'M'],
      [1e3, 'k'],
    ] as const
  ).find(([size]) => largest >= 10 * size || (largest >= size && step >= size)) ?? [1, ''];
  const written = values.map((value) => {
    if (value === 0) return '0';
    if (largest < 1e-3) return value.toExponential().replace('e-', 'e\u2212');
    return (value / unit).toFixed(decimals(step / unit)) + suffix;
  });
  return written.map((label) => label.replace(/^-/, '\u2212'));
}

function decimals(step: number): number {
  for (let places = 0; places < 12; places++) {
    const scaled = step * 10 ** places;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return places;
  }
  return 12;
}
