/**
 * What the functions on trained models take where a caller says nothing. Commands show the same values in their help.
 */

/** What `encode` can write. `pixels` are the images themselves, 0 to 1: the baseline that needs no model. */
export const ENCODE_OUTPUTS = ['avepool', 'bn_crelu', 'z_mean', 'z_std', 'z_sample', 'pixels'] as const;
export type EncodeOutput = (typeof ENCODE_OUTPUTS)[number];

export const MODEL_DEFAULTS = { batchSize: 200, weights: 'average' } as const;

export const ENCODE_DEFAULTS = {
  outputs: ENCODE_OUTPUTS.filter((name) => name !== 'pixels') as readonly EncodeOutput[],
  seed: 0,
};

export const GENERATE_DEFAULTS = { count: 64, seed: 0 };

export const RECONSTRUCT_DEFAULTS = { limit: 10000, count: 64, columns: 16, seed: 0 };

export const EXPORT_DEFAULTS = { weights: 'average', precision: 'float32' } as const;
