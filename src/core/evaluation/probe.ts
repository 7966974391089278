/** Feature folders in, a linear classifier and its accuracy out. */
import { join } from 'node:path';
import type { Engine } from '../backend/engine.js';
import { type Features, openFeatures } from '../data/features.js';
import { expected, usage } from '../errors.js';
import { exists } from '../formats/atomic.js';
import { testClassifier } from '../metrics/classifier.js';
import { type LbfgsProbeState, lbfgsProbe } from '../metrics/lbfgs-probe.js';
import { linearProbe } from '../metrics/linear-probe.js';
import { type Standardisation, bnCrelu, columnMoments, standardisation } from '../metrics/rows.js';
import { type AugmentationQuestion, openAugmentation } from './augmentation.js';
import { type SavedClassifier, readClassifier } from './classifier-file.js';
import { checkMemory } from './probe-memory.js';
import { type LabelledSet, describeHead, describeSet, fractions, perClass, protocol } from './probe-result.js';
import { readProbeState, writeProbeState } from './probe-state-file.js';
import { type Network, checkSameFeatures, checkSameNetwork } from './same-features.js';

export interface ProbeQuestion {
  train: string;
  test: string;
  /** Default avepool. */
  feature?: string;
  solver: 'adam' | 'sgd' | 'lbfgs';
  learningRates: readonly number[];
  penalties: readonly number[];
  steps: number;
  /** Instead of steps. */
  epochs?: number;
  batchSize: number;
  schedule: 'cosine' | 'constant';
  average: number;
  iterations: number;
  tolerance: number;
  /** File that keeps the state of L-BFGS. */
  state?: string;
  /** Default: a tenth of the training rows, at most 10,000, where there is a choice. */
  holdout?: number;
  seed: number;
  /** Train on random parts of the images, encoded anew for each batch (adam, sgd). */
  augment?: AugmentationQuestion;
}

export interface ProbeEvents {
  note(message: string): void;
  warn(message: string): void;
  /** Steps of random batches, or rows of all iterations of L-BFGS so far. */
  progress(done: number, total: number, words?: string): void;
}

export interface ProbeAnswer {
  /** What is printed: stable keys. */
  result: { top1: number; top5: number } & Record<string, unknown>;
  confusion: Uint32Array;
  /** How many. */
  classes: number;
}

const LARGEST_HOLDOUT = 10_000;
const BN_STATISTICS = 'mean and variance of the training rows';
/** Between two states of a long computation. */
const STATE_SECONDS = 30;

export async function runProbe(start: () => Promise<Engine>, question: ProbeQuestion, events: ProbeEvents) {
  const { solver, penalties, batchSize, seed, schedule, average } = question;
  const learningRates = solver === 'lbfgs' ? [] : question.learningRates;
  const { train, test, bn, feature } = await openSets(question);
  const holdout = checkHoldout(question, Math.max(1, learningRates.length) * penalties.length, train.rows.rows);
  checkLabels(train, test, events);
  if (solver !== 'lbfgs') checkMemory(question, train.rows);
  const augmentation = question.augment && (await openAugmentation(start, train.source, question.augment, { batchSize, bn }));
  const engine = await start();
  const steps = question.epochs ? Math.ceil((question.epochs * train.rows.rows) / batchSize) : question.steps;
  const sets = { train: train.rows, test: test.rows, penalties, holdout, seed };
  const solved =
    solver === 'lbfgs'
      ? await solve(engine, question, sets, `${train.source.digest} ${test.source.digest}`, events)
      : await linearProbe(engine, {
          ...sets,
          learningRates,
          steps,
          batchSize,
          optimiser: solver,
          schedule,
          average,
          batches: augmentation?.batches,
          onStep: (done, total) => events.progress(done, total, augmentation && `${augmentation.speed().toFixed(0)} images/s`),
        });
  await Promise.all([train.source.close(), test.source.close(), augmentation?.close()]);
  const { classifier, confusion, best } = solved;
  const converged = 'final' in solved ? solved.final.gradient <= question.tolerance : undefined;
  if (converged === false) {
    events.warn(`L-BFGS stopped at --iterations ${question.iterations}, before the optimum; a larger number lets it go on`);
  }
  const heads = solved.heads.map(describeHead);
  const random = { steps, batch_size: batchSize, schedule, average };
  const lbfgs = { iterations: question.iterations, tolerance: question.tolerance, converged, final: 'final' in solved ? describeHead(solved.final) : undefined };
  const result = {
    ...fractions(solved.test),
    per_class_top1: perClass(confusion, classifier.classes),
    feature,
    computed_from: bn && 'avepool',
    bn_statistics: bn && BN_STATISTICS,
    solver,
    best: heads[best],
    heads,
    train: describeSet(train),
    test: describeSet(test),
    classes: classifier.classes.length,
    holdout,
    ...(solver === 'lbfgs' ? lbfgs : random),
    seed,
    augment: augmentation?.describe(),
    protocol: protocol(question, holdout, converged),
  };
  const saved: Omit<SavedClassifier, 'result'> = { classifier, bn };
  const answer: ProbeAnswer = { result, confusion, classes: classifier.classes.length };
  return { ...answer, classifier: saved };
}

/** Tests a saved classifier. */
export async function applyProbe(start: () => Promise<Engine>, path: string, folder: string, feature?: string): Promise<ProbeAnswer> {
  const { classifier, bn, result: trained } = await readClassifier(path);
  const name = feature ?? (trained.feature as string | undefined) ?? 'avepool';
  const source = await openFeatures(folder, bn ? 'avepool' : name);
  const train = trained.train as (Network & { path: string }) | undefined;
  if (train) checkSameNetwork(train, train.path, source);
  const test = labelled(source, bn);
  const width = classifier.weight.length / classifier.classes.length;
  if (test.rows.width !== width) {
    throw expected(`features of width ${width} as ${path} was trained on`, folder, `${test.rows.width}`, 'encode with the same network, and name the --feature');
  }
  const engine = await start();
  const { accuracy, confusion } = await testClassifier(engine, classifier, test.rows);
  await source.close();
  const result = {
    ...fractions(accuracy),
    loss: accuracy.loss / accuracy.rows,
    per_class_top1: perClass(confusion, classifier.classes),
    feature: name,
    computed_from: bn && 'avepool',
    classifier: path,
    test: describeSet(test),
    classes: classifier.classes.length,
  };
  return { result, confusion, classes: classifier.classes.length };
}

async function solve(
  engine: Engine,
  { penalties, iterations, tolerance, state, seed }: ProbeQuestion,
  sets: Pick<Parameters<typeof lbfgsProbe>[1], 'train' | 'test' | 'holdout'>,
  digests: string,
  events: ProbeEvents,
) {
  const { holdout, train } = sets;
  const asked = JSON.stringify({ digests, width: train.width, penalties, holdout, seed });
  const resume = state ? await readProbeState(state, asked) : undefined;
  if (resume) events.note(`going on from ${state}: ${resume.solved.length} penalties done, ${resume.lbfgs.iterations} iterations of the next`);
  let saved = performance.now();
  let stages = -1;
  let words = '';
  let passes = 0;
  const most = iterations * (holdout > 0 ? penalties.length + 1 : 1) * train.rows;
  return lbfgsProbe(engine, {
    ...sets,
    penalties,
    seed,
    iterations,
    tolerance,
    resume,
    onRows(done) {
      events.progress(Math.min(passes * train.rows + done, most), most, words);
      if (done === train.rows) passes++;
    },
    async onIteration(current: LbfgsProbeState, objective, gradient) {
      words = `penalty ${current.solved.length + 1}, iteration ${current.lbfgs.iterations}: objective ${objective.toFixed(6)}, gradient ${gradient.toExponential(1)}`;
      const due = current.solved.length !== stages || performance.now() - saved > 1000 * STATE_SECONDS;
      if (!state || !due) return;
      await writeProbeState(state, asked, current);
      stages = current.solved.length;
      saved = performance.now();
    },
  });
}

/** The two sets with equal columns, and how BN+CReLU was computed if it was. */
async function openSets({ train, test, feature = 'avepool' }: ProbeQuestion) {
  const computed = feature === 'bn_crelu' && !(await exists(join(train, 'bn_crelu.npy')));
  const open = (folder: string) => openFeatures(folder, computed ? 'avepool' : feature);
  const sources = { train: await open(train), test: await open(test) };
  for (const source of Object.values(sources)) requireLabels(source);
  if (sources.train.width !== sources.test.width) {
    const wanted = `features of width ${sources.train.width} as in ${train}`;
    throw expected(wanted, test, `${sources.test.width}`, 'encode both with the same network');
  }
  checkSameFeatures(sources.train, sources.test);
  const bn = computed ? standardisation(await columnMoments(sources.train)) : undefined;
  return { train: labelled(sources.train, bn), test: labelled(sources.test, bn), bn, feature };
}

function labelled(source: Features, bn?: Standardisation): LabelledSet {
  requireLabels(source);
  const { rows, width, read } = bn ? bnCrelu(source, bn) : source;
  return { source, rows: { rows, width, read, labels: source.labels! } };
}

function requireLabels({ path, labels }: Features): void {
  if (!labels) throw expected('labels.npy', path, 'none', 'class numbers are needed: encode a labelled dataset, or save them with NumPy');
}

function checkHoldout({ holdout }: ProbeQuestion, choices: number, rows: number): number {
  const number = holdout ?? (choices > 1 ? Math.min(LARGEST_HOLDOUT, Math.ceil(rows / 10)) : 0);
  if (number >= rows) {
    throw usage(`expected fewer than the ${rows} training rows for --holdout, got ${number}`, 'some rows must be left to train on');
  }
  if (number === 0 && choices > 1) {
    throw usage(`--holdout 0 cannot choose among ${choices} classifiers`, 'give one --learning-rates and one --penalties');
  }
  return number;
}

/** Warns of classes that only the test has, and says which numbers no training row has. */
function checkLabels(train: LabelledSet, test: LabelledSet, { warn, note }: ProbeEvents): void {
  const classes = new Set(train.rows.labels);
  if (classes.size < 2) throw expected('2 classes or more', `labels.npy in ${train.source.path}`, `${classes.size}`);
  const unknown = new Set(test.rows.labels.filter((label) => !classes.has(label))).size;
  if (unknown > 0) warn(`${unknown} classes of ${test.source.path} do not occur in ${train.source.path}; their rows count as wrong`);
  const largest = train.rows.labels.reduce((most, label) => Math.max(most, label), 0);
  const empty = largest + 1 - classes.size;
  if (empty > 0) note(`${empty} class numbers below ${largest} have no rows in ${train.source.path}`);
}
