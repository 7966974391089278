/** Where a distance may mislead. */
import type { OpenSide } from './side.js';

/** The rank of a covariance is less than the number of rows, so that it takes one row more than there are features. */
export function warnOfFew({ path, n, width }: OpenSide, warn: (message: string) => void): void {
  if (n === undefined || n > width) return;
  warn(
    `${path} has ${n} rows; below ${width + 1}, one more than features, the distance is biased upwards: compare only with equal counts`,
  );
}

/**
 * Mostly slips: the same path twice, the statistics of a set against the set itself, sets that were prepared in two
 * ways.
 */
export function warnOfPair([real, fake]: OpenSide[], warn: (message: string) => void): void {
  if (real.sourceDigest !== undefined && real.sourceDigest === fake.sourceDigest) {
    const digest = real.sourceDigest.slice(0, 12);
    warn(`${real.path} and ${fake.path} are of the same data (SHA-256 ${digest}), whose distance is 0`);
  }
  if (real.resize !== undefined && fake.resize !== undefined && real.resize !== fake.resize) {
    warn(
      `${real.path} came to its size by ${real.resize}, ${fake.path} by ${fake.resize}: that counts as a difference too`,
    );
  }
}
