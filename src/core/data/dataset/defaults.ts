/** What `prepareData` does where a caller says nothing. The command shows the same values in its help. */
export const PREPARE_DEFAULTS = { store: 'pixels', holdout: 0, seed: 0, shardSize: 10_000 } as const;
