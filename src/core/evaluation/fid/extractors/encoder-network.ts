/** The network behind features of an encoder, told alike whether they are computed here or were written by `encode`. */
import type { ModelProvenance } from '../../../trained/provenance.js';
import type { Network } from '../statistics-file.js';

/** `output` is one of those of `encode`. Undefined where no model is known: pixels, and features of other programs. */
export function encoderNetwork(output: string, source: Partial<ModelProvenance> | undefined) {
  const { checkpoint_digest: checkpoint, model_digest: model, weights, precision } = source ?? {};
  const digest = checkpoint ?? model;
  if (typeof digest !== 'string' || output === 'pixels') return undefined;
  const label = `encoder ${output} (${checkpoint ? `${weights} weights` : 'SavedModel'})`;
  return { name: 'encoder', label, digest, precision: precision ?? undefined } satisfies Network;
}
