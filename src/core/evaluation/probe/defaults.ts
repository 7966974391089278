/** What `linearProbe` does where a caller says nothing. The command shows the same values in its help. */
export const PROBE_DEFAULTS = {
  feature: 'avepool',
  solver: 'adam',
  learningRates: [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
  penalties: [0, 1e-5, 1e-4, 1e-3, 1e-2],
  steps: 5000,
  batchSize: 256,
  schedule: 'cosine',
  average: 0,
  iterations: 500,
  tolerance: 1e-4,
  seeds: [0],
} as const;
