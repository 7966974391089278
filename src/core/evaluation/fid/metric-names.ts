/** The scores of two sets of images, as `--metrics` names them. */
export const METRICS = ['fid', 'is', 'kid', 'pr'] as const;
export type Metric = (typeof METRICS)[number];
