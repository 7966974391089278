/** Fractions as words. */

export function percent(fraction: number, digits = 2): string {
  return `${(100 * fraction).toFixed(digits)} %`;
}

/** A mean and its standard deviation, both in percent. */
export function percentSpread(mean: number, std: number): string {
  return `${percent(mean)} ± ${(100 * std).toFixed(2)}`;
}
