/** A saved classifier and features in, its accuracy out. */
import type { Engine } from '../backend/engine.js';
import { openFeatures } from '../data/features.js';
import { expected } from '../errors.js';
import { testClassifier } from '../metrics/classifier.js';
import { readClassifier } from './classifier-file.js';
import { describeComputed, transformed, withLabels } from './feature-pair.js';
import { type ProbeAnswer, describeSet, fractions, perClass } from './probe-result.js';
import { type Network, checkSameNetwork } from './same-features.js';

/** @param feature default: what it was trained on */
export async function applyClassifier(
  start: () => Promise<Engine>,
  path: string,
  folder: string,
  feature: string | undefined,
  warn: (message: string) => void,
): Promise<ProbeAnswer> {
  const { classifier, bn, result: trained } = await readClassifier(path);
  const name = feature ?? (trained.feature as string | undefined) ?? 'avepool';
  const source = withLabels(await openFeatures(folder, bn ? 'avepool' : name));
  const train = trained.train as (Network & { path: string; digest?: string }) | undefined;
  if (train) checkSameNetwork(train, train.path, source);
  const test = bn ? transformed(source, bn) : source;
  const width = classifier.weight.length / classifier.classes.length;
  if (test.width !== width) {
    throw expected(`features of width ${width} as ${path} was trained on`, folder, `${test.width}`, 'encode with the same network, and name the --feature');
  }
  const same = train?.digest === undefined ? null : train.digest === test.digest;
  if (same) warn(`${path} was trained on the features of ${folder}: this is the accuracy of rows that were trained on`);
  const engine = await start();
  const { accuracy, confusion } = await testClassifier(engine, classifier, test);
  await test.close();
  const result = {
    ...fractions(accuracy),
    loss: accuracy.loss / accuracy.rows,
    per_class_top1: perClass(confusion, classifier.classes),
    feature: name,
    ...describeComputed(bn),
    classifier: path,
    test: describeSet(test),
    test_is_train: same,
    classes: classifier.classes.length,
  };
  return { result, confusion, classes: classifier.classes };
}
