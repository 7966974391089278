/** Feature folders in, a linear classifier and its accuracy out. */
import type { Engine } from '../../backend/engine.js';
import { UserError, usage } from '../../errors.js';
import { minibatchProbe } from '../../metrics/probe/minibatch-probe.js';
import { describeSet } from '../features/describe-set.js';
import { checkFinite, describeComputed, type FeaturePair, openFeaturePair } from '../features/feature-pair.js';
import { classNames } from '../features/same-features.js';
import { openAugmentation } from './augmentation.js';
import type { SavedClassifier } from './classifier-file.js';
import { gridEdge } from './grid-edge.js';
import { checkLbfgsMemory, checkMemory } from './probe-memory.js';
import type { ProbeAnswer, ProbeEvents, ProbeQuestion } from './probe-question.js';
import { describeHead, fractions, perClass, protocol } from './probe-result.js';
import { resumableLbfgs } from './resumable-lbfgs.js';

const LARGEST_HOLDOUT = 10_000;

export async function runProbe(start: () => Promise<Engine>, question: ProbeQuestion, events: ProbeEvents) {
  await using pair = await openFeaturePair(question.train, question.test, question.feature ?? 'avepool', events);
  return await probePair(start, pair, question, events);
}

async function probePair(
  start: () => Promise<Engine>,
  { train, test, same, sameImages, bn }: FeaturePair,
  question: ProbeQuestion,
  events: ProbeEvents,
) {
  const { solver, penalties, batchSize, seed, schedule, average, feature = 'avepool' } = question;
  const learningRates = solver === 'lbfgs' ? [] : question.learningRates;
  if (same)
    events.warn('the test features are the training features: this is the accuracy of rows that were trained on');
  const choices = Math.max(1, learningRates.length) * penalties.length;
  const holdout = checkHoldout(question, choices, train.rows);
  if (solver === 'lbfgs') checkLbfgsMemory(train);
  else checkMemory(question, train);
  if (!same) await checkFinite(test);
  await using augmentation =
    question.augment && (await openAugmentation(start, train, question.augment, { batchSize, bn }));
  const engine = await start();
  const steps = question.epochs ? Math.ceil((question.epochs * train.rows) / batchSize) : question.steps;
  const sets = { train, test, penalties, holdout, seed };
  const phase = (done: number) =>
    holdout === 0 ? '' : done <= steps ? `of ${choices} classifiers at once` : 'of the chosen one on all rows';
  const speed = () => (augmentation ? `${augmentation.speed().toFixed(0)} images/s` : '');
  const solved =
    solver === 'lbfgs'
      ? await resumableLbfgs(engine, question, sets, `${train.digest} ${test.digest}`, events)
      : await minibatchProbe(engine, {
          ...sets,
          learningRates,
          steps,
          batchSize,
          optimiser: solver,
          schedule,
          average,
          batches: augmentation?.batches,
          onStep: (done, total) => events.progress(done, total, [phase(done), speed()].filter(Boolean).join(', ')),
        });
  const { classifier, confusion } = solved;
  if (!classifier.weight.every(Number.isFinite)) throw diverged(solved.heads[solved.best]);
  const heads = solved.heads.map(describeHead);
  const best = heads[solved.best];
  const edges = {
    ...(solver !== 'lbfgs' && { learning_rate: gridEdge(learningRates, best.learning_rate!) }),
    penalty: gridEdge(penalties, best.penalty),
  };
  if (edges.learning_rate)
    warnOfEdge('learning rate', '--learning-rates', best.learning_rate!, edges.learning_rate, events);
  if (edges.penalty) warnOfEdge('penalty', '--penalties', best.penalty, edges.penalty, events);
  const converged = 'final' in solved ? solved.final.gradient <= question.tolerance : undefined;
  const random = { steps, batch_size: batchSize, schedule, average };
  const lbfgs = {
    iterations: question.iterations,
    tolerance: question.tolerance,
    converged,
    final: 'final' in solved ? describeHead(solved.final) : undefined,
  };
  const result = {
    ...fractions(solved.test),
    per_class_top1: perClass(confusion, classifier.classes),
    feature,
    ...describeComputed(bn),
    solver,
    best,
    grid_edge: choices > 1 ? nulled(edges) : undefined,
    heads,
    train: describeSet(train),
    test: describeSet(test),
    test_is_train: sameImages,
    classes: classifier.classes.length,
    holdout,
    ...(solver === 'lbfgs' ? lbfgs : random),
    seed,
    augment: augmentation?.describe(),
    protocol: protocol(question, { holdout, converged, sameImages }),
  };
  const saved: Omit<SavedClassifier, 'result'> = { classifier, bn, classNames: classNames(train) };
  const answer: ProbeAnswer = { result, confusion, classes: classifier.classes };
  return { ...answer, classifier: saved };
}

function diverged({ learningRate, penalty }: { learningRate?: number; penalty: number }): UserError {
  const rate = learningRate === undefined ? '' : `learning rate ${learningRate} and `;
  return new UserError(
    `training diverged: the best classifier, of ${rate}penalty ${penalty}, has weights that are not finite`,
    {
      hint: learningRate === undefined ? 'try larger --penalties' : 'try smaller --learning-rates',
    },
  );
}

function warnOfEdge(
  what: string,
  option: string,
  chosen: number,
  edge: 'smallest' | 'largest',
  { warn }: ProbeEvents,
): void {
  warn(
    `the chosen ${what}, ${chosen}, is the ${edge} of ${option}: a ${edge === 'largest' ? 'larger' : 'smaller'} one may do better`,
  );
}

/** JSON leaves undefined out. */
function nulled(edges: Record<string, string | undefined>) {
  return Object.fromEntries(Object.entries(edges).map(([name, edge]) => [name, edge ?? null]));
}

function checkHoldout({ holdout }: ProbeQuestion, choices: number, rows: number): number {
  const number = holdout ?? (choices > 1 ? Math.min(LARGEST_HOLDOUT, Math.ceil(rows / 10)) : 0);
  if (number >= rows) {
    throw usage(
      `expected fewer than the ${rows} training rows for --holdout, got ${number}`,
      'some rows must be left to train on',
    );
  }
  if (number === 0 && choices > 1) {
    throw usage(
      `--holdout 0 cannot choose among ${choices} classifiers`,
      'give one --learning-rates and one --penalties',
    );
  }
  return number;
}
