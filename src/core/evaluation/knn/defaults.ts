/** What `knn` does where a caller says nothing. The command shows the same values in its help. */
export const KNN_DEFAULTS = {
  feature: 'avepool',
  k: [1, 5, 25, 50],
  metric: 'l2',
  normalise: true,
  sheetRows: 8,
} as const;
