/** A saved classifier and features in, its accuracy out. */
import type { Engine } from '../../backend/engine.js';
import { type Features, openFeatures } from '../../data/features.js';
import { expected, usage } from '../../errors.js';
import { testClassifier } from '../../metrics/probe/classifier.js';
import { describeSet } from '../features/describe-set.js';
import { describeComputed, transformed, withLabels } from '../features/feature-pair.js';
import { checkSameClasses, checkSameNetwork, type ModelDigests } from '../features/same-features.js';
import { readClassifier, type SavedClassifier } from './classifier-file.js';
import type { ProbeAnswer } from './probe-question.js';
import { fractions, perClass } from './probe-result.js';

/** @param feature default: what it was trained on */
export async function applyClassifier(
  start: () => Promise<Engine>,
  path: string,
  folder: string,
  feature: string | undefined,
  warn: (message: string) => void,
): Promise<ProbeAnswer> {
  const saved = await readClassifier(path);
  const trained = saved.result.feature as string | undefined;
  if (feature !== undefined && trained !== undefined && feature !== trained) {
    throw usage(
      `--feature ${feature} does not go with ${path}, which was trained on ${trained}`,
      'leave --feature out',
    );
  }
  const name = feature ?? trained ?? 'avepool';
  const source = await openFeatures(folder, saved.bn ? 'avepool' : name);
  try {
    const { accuracy, confusion, test, same } = await judge(start, saved, path, source, warn);
    const { classes } = saved.classifier;
    const result = {
      ...fractions(accuracy),
      loss: accuracy.loss / accuracy.rows,
      per_class_top1: perClass(confusion, classes),
      feature: name,
      ...describeComputed(saved.bn),
      classifier: path,
      test: describeSet(test),
      test_is_train: same,
      classes: classes.length,
    };
    return { result, confusion, classes };
  } finally {
    await source.close();
  }
}

async function judge(
  start: () => Promise<Engine>,
  { classifier, bn, result, classNames }: SavedClassifier,
  path: string,
  source: Features,
  warn: (message: string) => void,
) {
  const labelled = withLabels(source);
  const train = result.train as (ModelDigests & { path: string; digest?: string }) | undefined;
  if (train) checkSameNetwork(train, train.path, source);
  checkSameClasses(classNames, path, source);
  const test = bn ? transformed(labelled, bn) : labelled;
  const width = classifier.weight.length / classifier.classes.length;
  if (test.width !== width) {
    throw expected(
      `features of width ${width} as ${path} was trained on`,
      source.path,
      `${test.width}`,
      'encode with the same network, and name the --feature',
    );
  }
  // Unknown where another program made the classifier.
  const same = train?.digest === undefined ? null : train.digest === test.digest;
  if (same)
    warn(`${path} was trained on the features of ${source.path}: this is the accuracy of rows that were trained on`);
  return { ...(await testClassifier(await start(), classifier, test)), test, same };
}
