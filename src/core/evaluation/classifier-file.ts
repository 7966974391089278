/** A linear classifier as .safetensors: `weight` [width, classes], `bias`, `classes`, and how BN+CReLU is computed where it is. */
import { expected } from '../errors.js';
import { readSafetensors, writeSafetensors } from '../formats/safetensors.js';
import type { Classifier } from '../metrics/classifier.js';
import type { Standardisation } from '../metrics/rows.js';

const FORMAT = 'bigbigan linear probe 1';

export interface SavedClassifier {
  classifier: Classifier;
  /** Rows are first made from AvePool by BN+CReLU with these. */
  bn?: Standardisation;
  /** What `linear-probe` printed. */
  result: Record<string, unknown>;
}

/** Scores of a row x are x·weight + bias; with `bn_mean` and `bn_factor`, x is first made from AvePool by BN+CReLU. */
export async function writeClassifier(path: string, { classifier, bn, result }: SavedClassifier): Promise<void> {
  const { weight, bias, classes } = classifier;
  const tensors = new Map<string, { shape: number[]; data: Float32Array | Int32Array }>([
    ['weight', { shape: [weight.length / classes.length, classes.length], data: weight }],
    ['bias', { shape: [classes.length], data: bias }],
    ['classes', { shape: [classes.length], data: classes }],
  ]);
  if (bn) {
    tensors.set('bn_mean', { shape: [bn.mean.length], data: Float32Array.from(bn.mean) });
    tensors.set('bn_factor', { shape: [bn.factor.length], data: Float32Array.from(bn.factor) });
  }
  await writeSafetensors(path, tensors, { format: FORMAT, result: JSON.stringify(result) });
}

export async function readClassifier(path: string): Promise<SavedClassifier> {
  const { tensors, metadata } = await readSafetensors(path);
  const get = (name: string) => tensors.get(name);
  const [weight, bias, classes] = ['weight', 'bias', 'classes'].map(get);
  const fits =
    weight?.data instanceof Float32Array &&
    bias?.data instanceof Float32Array &&
    classes?.data instanceof Int32Array &&
    weight.shape.length === 2 &&
    weight.shape[1] === bias.data.length &&
    weight.shape[1] === classes.data.length;
  if (!fits) throw expected('a classifier saved by linear-probe --out', path, `tensors ${[...tensors.keys()].join(', ') || 'none'}`);
  const [mean, factor] = [get('bn_mean')?.data, get('bn_factor')?.data];
  let result: Record<string, unknown> = {};
  try {
    result = JSON.parse(metadata.result ?? '{}') as Record<string, unknown>;
  } catch {
    throw expected('JSON as the result in the metadata', path, JSON.stringify(metadata.result.slice(0, 40)));
  }
  return {
    classifier: { weight: weight.data as Float32Array, bias: bias.data as Float32Array, classes: classes.data as Int32Array },
    bn: mean && factor ? { mean: Float64Array.from(mean as Float32Array), factor: Float64Array.from(factor as Float32Array) } : undefined,
    result,
  };
}
