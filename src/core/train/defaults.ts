/** What `train` does where a caller says nothing. The command shows the same values in its help. */

export const TRAIN_DEFAULTS = {
  logEvery: 50,
  sampleEvery: 500,
  checkpointEvery: 500,
  keep: 3,
  onNan: 'stop',
  tensorboard: true,
} as const;

/** Images of an evaluation. */
export const EVALUATED_IMAGES = 4000;
