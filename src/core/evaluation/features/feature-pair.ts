/** The training and the test features of one question, opened and found to fit together. */
import { join } from 'node:path';
import { type Features, openFeatures } from '../../data/features.js';
import { expected } from '../../errors.js';
import { exists } from '../../formats/exists.js';
import { bnCrelu, chunks, columnMoments, type Standardisation, standardisation } from '../../metrics/rows.js';
import { checkSameFeatures } from './same-features.js';

export interface LabelledFeatures extends Features {
  labels: Int32Array;
}

export interface FeaturePair extends AsyncDisposable {
  train: LabelledFeatures;
  test: LabelledFeatures;
  /** Both sides are the same file, or copies of it. */
  same: boolean;
  /** Both are known to be of the same images, if not the same file. */
  sameImages: boolean;
  /** How many classes the training rows have. */
  classes: number;
  /** Where the rows are BN+CReLU that is computed from AvePool as they are read: with these. */
  bn?: Standardisation;
}

/** What a user should know who asked for something else. */
export interface Remarks {
  note(message: string): void;
  warn(message: string): void;
}

/**
 * Opens `feature` of both folders. `bn_crelu` is computed from `avepool`, with mean and variance of the training rows
 * for both, where one of the folders has no file of it.
 * @throws UserError where labels are missing, or the features are not of one kind
 */
export async function openFeaturePair(
  trainPath: string,
  testPath: string,
  feature: string,
  remarks: Remarks,
): Promise<FeaturePair> {
  const computed = feature === 'bn_crelu' && (await mustCompute([trainPath, testPath]));
  const opened: Features[] = [];
  const close = async () => void (await Promise.all(opened.map((features) => features.close())));
  const open = async (folder: string) => {
    const features = await openFeatures(folder, computed ? 'avepool' : feature);
    opened.push(features);
    return withLabels(features);
  };
  try {
    // The smaller first: what is wrong with it is then found before the larger one is read for its digest.
    const test = await open(testPath);
    const train = await open(trainPath);
    if (train.width !== test.width) {
      throw expected(
        `features of width ${train.width} as in ${trainPath}`,
        testPath,
        `${test.width}`,
        'encode both with the same network',
      );
    }
    checkSameFeatures(train, test);
    const classes = checkClasses(train, test, remarks);
    const same = train.digest === test.digest;
    const sameImages = same || (imagesOf(train) !== undefined && imagesOf(train) === imagesOf(test));
    if (sameImages && !same)
      remarks.warn(
        `${testPath} and ${trainPath} were encoded from the same images: this says nothing of images that were not seen`,
      );
    const pair = { train, test, same, sameImages, classes, [Symbol.asyncDispose]: close };
    if (!computed) return pair;
    const bn = standardisation(await columnMoments(train));
    return { ...pair, train: transformed(train, bn), test: transformed(test, bn), bn };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The same features after BN+CReLU; name and digest stay those of what is on disk. */
export function transformed<F extends Features>(features: F, bn: Standardisation): F {
  return { ...features, ...bnCrelu(features, bn) };
}

/** What a result says of features that were computed. */
export function describeComputed(bn?: Standardisation) {
  return bn && { computed_from: 'avepool', bn_statistics: 'mean and variance of the training rows' };
}

export function withLabels(features: Features): LabelledFeatures {
  const { path, labels } = features;
  if (!labels)
    throw expected(
      'labels.npy',
      path,
      'none',
      'class numbers are needed: encode a labelled dataset, or save them with NumPy',
    );
  return { ...features, labels };
}

/** Reads all rows once. @throws UserError naming a row with a number that is not finite */
export async function checkFinite(features: Features): Promise<void> {
  for await (const chunk of chunks(features)) void chunk;
}

/** SHA-256 of the images, where features.json says it. */
function imagesOf({ provenance }: Features): string | undefined {
  return (provenance?.source as { data_digest?: string | null } | undefined)?.data_digest ?? undefined;
}

async function mustCompute(folders: string[]): Promise<boolean> {
  const all = async (file: string) =>
    (await Promise.all(folders.map((folder) => exists(join(folder, file))))).every(Boolean);
  return !(await all('bn_crelu.npy')) && (await all('avepool.npy'));
}

/**
 * Warns of classes that only the test rows have, and says which numbers no training row has; gives the number of
 * classes.
 */
function checkClasses(train: LabelledFeatures, test: LabelledFeatures, { note, warn }: Remarks): number {
  const known = new Set(train.labels);
  if (known.size < 2) {
    throw expected(
      'rows of 2 classes or more',
      `labels.npy in ${train.path}`,
      `class ${train.labels[0]} in every row`,
      'a classifier needs two classes or more',
    );
  }
  const foreign = test.labels.filter((label) => !known.has(label));
  if (foreign.length > 0)
    warn(
      `${train.path} has no rows of ${listed(foreign)}; ${foreign.length} of the ${test.rows} rows of ${test.path} count as wrong`,
    );
  const largest = train.labels.reduce((most, label) => Math.max(most, label), 0);
  const empty = largest + 1 - known.size;
  if (empty > 0)
    note(`${train.path} has ${known.size} classes, numbered up to ${largest}: ${empty} numbers have no rows`);
  return known.size;
}

/** Such as `classes 3, 7, 8`, a few of them. */
function listed(labels: Int32Array): string {
  const numbers = [...new Set(labels)].sort((a, b) => a - b);
  const [shown, more] = [numbers.slice(0, 5).join(', '), numbers.length - 5];
  return `class${numbers.length > 1 ? 'es' : ''} ${shown}${more > 0 ? ` and ${more} more` : ''}`;
}
