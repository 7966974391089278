/** What a mistyped name may have been meant to be. */

/** The valid name with the fewest letters to change, regardless of case; undefined where none is like it. */
export function nearestName(name: string, valid: readonly string[]): string | undefined {
  const [best] = valid
    .map((other) => ({ other, changes: distance(name, other) }))
    .sort((a, b) => a.changes - b.changes);
  return best && best.changes <= Math.max(1, name.length / 2) ? best.other : undefined;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1].toLowerCase() === b[j - 1].toLowerCase();
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (same ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
