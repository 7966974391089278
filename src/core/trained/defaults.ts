/**
 * What the functions on trained models take where a caller says nothing. Commands show the same values in their help.
 */
import { usage } from '../errors.js';

/** What `encode` can write. `pixels` are the images themselves, 0 to 1: the baseline that needs no model. */
export const ENCODE_OUTPUTS = ['avepool', 'bn_crelu', 'z_mean', 'z_std', 'z_sample', 'pixels'] as const;
export type EncodeOutput = (typeof ENCODE_OUTPUTS)[number];

/** @throws UserError for what `encode` cannot write */
export function checkOutputs(names: readonly string[]): void {
  const unknown = names.find((name) => !(ENCODE_OUTPUTS as readonly string[]).includes(name));
  if (unknown !== undefined) throw usage(`there is no output "${unknown}"`, `outputs: ${ENCODE_OUTPUTS.join(', ')}`);
}

export const MODEL_DEFAULTS = { batchSize: 200, weights: 'average' } as const;

export const ENCODE_DEFAULTS = {
  outputs: ENCODE_OUTPUTS.filter((name) => name !== 'pixels') as readonly EncodeOutput[],
  seed: 0,
};

export const GENERATE_DEFAULTS = { count: 64, seed: 0 };

export const RECONSTRUCT_DEFAULTS = { limit: 10000, count: 64, columns: 16, seed: 0 };

export const EXPORT_DEFAULTS = { weights: 'average', precision: 'float32' } as const;
