/**
 * A linear classifier as .safetensors: `weight` [width, classes], `bias`, `classes`, and how BN+CReLU is computed where
 * it is.
 */
import { expected } from '../../errors.js';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../../formats/safetensors.js';
import type { SafetensorsHeader } from '../../formats/safetensors-header.js';
import type { Classifier } from '../../metrics/probe/classifier.js';
import type { Standardisation } from '../../metrics/rows.js';

const FORMAT = 'bigbigan linear probe 1';

export interface SavedClassifier {
  classifier: Classifier;
  /** Rows are first made from AvePool by BN+CReLU with these. */
  bn?: Standardisation;
  /** What `linear-probe` printed. */
  result: Record<string, unknown>;
  /** Names by class number; empty where the features did not say. */
  classNames: readonly string[];
}

/** Scores of a row x are x·weight + bias; with `bn_mean` and `bn_factor`, x is first made from AvePool by BN+CReLU. */
export async function writeClassifier(
  path: string,
  { classifier, bn, result, classNames }: SavedClassifier,
): Promise<void> {
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
  await writeSafetensors(path, tensors, {
    format: FORMAT,
    result: JSON.stringify(result),
    ...(classNames.length > 0 && { class_names: JSON.stringify(classNames) }),
  });
}

export async function readClassifier(path: string): Promise<SavedClassifier> {
  const header = await readSafetensorsHeader(path);
  const absent = ['weight', 'bias', 'classes'].some((name) => !header.tensors.has(name));
  if (absent) throw wrongFile(path, header);
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
  if (!fits) throw wrongFile(path, header);
  const [mean, factor] = [get('bn_mean')?.data, get('bn_factor')?.data];
  const parse = (text: string, what: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      throw expected(`JSON as the ${what} in the metadata`, path, JSON.stringify(text.slice(0, 40)));
    }
  };
  const result = parse(metadata.result ?? '{}', 'result') as Record<string, unknown>;
  const names = parse(metadata.class_names ?? '[]', 'class names');
  return {
    classifier: {
      weight: weight.data as Float32Array,
      bias: bias.data as Float32Array,
      classes: classes.data as Int32Array,
    },
    bn:
      mean && factor
        ? { mean: Float64Array.from(mean as Float32Array), factor: Float64Array.from(factor as Float32Array) }
        : undefined,
    result,
    classNames: Array.isArray(names) ? names.map(String) : [],
  };
}

/** What a file is that is no classifier, in a few words: a checkpoint has hundreds of tensors. */
function wrongFile(path: string, { tensors, metadata }: SafetensorsHeader) {
  const wanted = 'a classifier that linear-probe --out saved';
  const { format = '', step } = metadata;
  if (format.startsWith('bigbigan-checkpoint')) {
    return expected(
      wanted,
      path,
      `the checkpoint of a run${step === undefined ? '' : ` at step ${step}`}`,
      'encode images with it, and train a classifier on the features with --train and --out',
    );
  }
  if (format.startsWith('bigbigan linear probe state'))
    return expected(
      wanted,
      path,
      'the state of a training that --state keeps',
      'finish the training with --state and --out',
    );
  const entries = [...tensors].map(([name, { dtype, shape }]) => `${name} ${dtype} [${shape}]`);
  const [shown, more] = [entries.slice(0, 4).join(', '), entries.length - 4];
  const found = entries.length === 0 ? 'no tensors' : `tensors ${shown}${more > 0 ? ` and ${more} more` : ''}`;
  return expected(
    wanted,
    path,
    found,
    'it has weight float32 [width, classes], bias float32 [classes] and classes int32 [classes]',
  );
}
