/** The network behind features, for a line of text. */
export function networkText({
  label,
  digest,
  precision,
}: {
  label?: string | null;
  digest?: string | null;
  precision?: string | null;
}): string {
  if (!label) return 'features of unknown origin';
  return [label, `weights ${digest!.slice(0, 12)}`, ...(precision ? [precision] : [])].join(', ');
}
