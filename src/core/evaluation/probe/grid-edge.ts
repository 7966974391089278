/** Whether a search over settings may have been too narrow. */

export type Edge = 'smallest' | 'largest';

/** The end of the values tried at which the chosen one lies; 0 is no end, for nothing is below it. */
export function gridEdge(values: readonly number[], chosen: number): Edge | undefined {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (least === most) return undefined;
  if (chosen === most) return 'largest';
  return chosen === least && least > 0 ? 'smallest' : undefined;
}
