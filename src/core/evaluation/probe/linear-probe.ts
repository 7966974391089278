/** What a linear classifier makes of frozen features. */
import { resolve } from 'node:path';
import { startEngine } from '../../backend/engine.js';
import { checkList } from '../../checks.js';
import { usage } from '../../errors.js';
import { checkOutputFile } from '../../formats/output-file.js';
import { spread } from '../../metrics/spread.js';
import { type Versions, versions } from '../../version.js';
import type { EngineWorkOptions, WorkEvent } from '../../work.js';
import type { Remarks } from '../features/feature-pair.js';
import { applyClassifier } from './apply-classifier.js';
import { checkChoices } from './check-choices.js';
import { writeClassifier } from './classifier-file.js';
import { writeConfusion } from './confusion-file.js';
import { PROBE_DEFAULTS } from './defaults.js';
import type { ProbeAnswer, ProbeNumbers, ProbeQuestion } from './probe-question.js';
import { runProbe } from './run-probe.js';

type Choices = Partial<Omit<ProbeQuestion, 'train' | 'test' | 'seed'>>;

export interface LinearProbeSettings extends Choices {
  /** Features folders to train on, and folders to test on, pair by pair. Both need labels.npy. */
  train?: readonly string[];
  test: readonly string[];
  /** In place of training: a classifier that `out` saved. */
  apply?: string;
  /** Seeds of the held-out rows and of the batches, default 0; several give mean and standard deviation. */
  seeds?: readonly number[];
  /** A `.safetensors` for the classifier: weight, bias, classes. */
  out?: string;
  /** Which classes (rows) are taken for which (columns): a picture as `.png`, or counts as `.npy`. */
  confusionOut?: string;
  /** Replace what exists. */
  force?: boolean;
}

/** Of one classifier. */
export interface ProbeRun extends ProbeNumbers {
  /** File of the saved classifier. */
  out?: string;
  seconds: number;
  versions: Versions;
}

/** Of several pairs or seeds. */
export interface ProbeRuns {
  /** Means of the runs, and their sample standard deviations. */
  top1: number;
  top1_std: number;
  top5: number;
  top5_std: number;
  runs: ProbeRun[];
}

export type LinearProbeResult = ProbeRun | ProbeRuns;

/** `result` comes as soon as it is known, before files are written, which may fail. */
export type LinearProbeEvent =
  | WorkEvent
  | { kind: 'result'; result: LinearProbeResult }
  /** One of several runs begins (without `result`), or is done. */
  | { kind: 'run'; index: number; count: number; question: ProbeQuestion; result?: ProbeRun };

type Work = EngineWorkOptions<LinearProbeEvent>;

/**
 * Trains multinomial logistic regression on features that stay as they are, and tests it. Features are standardised by
 * the training rows; weights start at 0. `adam` and `sgd` go over random batches, with a classifier for each learning
 * rate and penalty in one pass; `lbfgs` finds the optimum of each penalty over all rows. What has the lowest loss on
 * held-out training rows is trained anew on all training rows. Test rows take no part in any choice. Files may be
 * larger than memory.
 *
 * Events: `result`, `run`, notes, warnings, and progress of the task `steps` (or `fits` of L-BFGS). With `signal` it
 * throws the signal's reason; a `state` file stays, and the same call goes on from it.
 * @throws UserError for features that do not fit together, choices that cannot be made, and files that exist
 */
export async function linearProbe(settings: LinearProbeSettings, work: Work = {}): Promise<LinearProbeResult> {
  await checkSettings(settings);
  if (settings.apply !== undefined) return apply(settings, settings.apply, work);
  const questions = questionsOf(settings);
  if (questions.length === 1) return trainOne(questions[0], settings, work);
  const runs: ProbeRun[] = [];
  for (const [i, question] of questions.entries()) {
    const which = { kind: 'run', index: i + 1, count: questions.length, question } as const;
    work.on?.(which);
    const { result } = await answer(question, work);
    work.on?.({ ...which, result });
    runs.push(result);
  }
  const [top1, top5] = [spread(runs.map((run) => run.top1)), spread(runs.map((run) => run.top5))];
  const result = { top1: top1.mean, top1_std: top1.std, top5: top5.mean, top5_std: top5.std, runs };
  work.on?.({ kind: 'result', result });
  return result;
}

/** One for each pair of folders and each seed. */
function questionsOf({ train = [], test, seeds = PROBE_DEFAULTS.seeds, ...choices }: LinearProbeSettings) {
  const { apply: _, out, confusionOut, force, ...given } = choices;
  const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Choices;
  const { seeds: __, ...defaults } = PROBE_DEFAULTS;
  const question = { ...defaults, ...asked };
  // A value that is named twice would be trained twice.
  const [learningRates, penalties] = [question.learningRates, question.penalties].map((list) => [...new Set(list)]);
  return train.flatMap((folder, i): ProbeQuestion[] =>
    seeds.map((seed) => ({ ...question, learningRates, penalties, train: folder, test: test[i], seed })),
  );
}

async function trainOne(question: ProbeQuestion, { out, confusionOut }: LinearProbeSettings, work: Work) {
  const { result: run, classifier, confusion, classes } = await answer(question, work);
  const result: ProbeRun = { ...run, out };
  work.on?.({ kind: 'result', result });
  if (out) await writeClassifier(out, { ...classifier, result });
  if (confusionOut) await writeConfusion(confusionOut, confusion, classes);
  return result;
}

/** One classifier, from one pair of folders and one seed. */
async function answer(question: ProbeQuestion, work: Work) {
  const started = performance.now();
  const task = question.solver === 'lbfgs' ? 'fits' : 'steps';
  const { result, ...others } = await runProbe(() => startEngine(work), question, {
    ...remarks(work),
    progress(done, total, words) {
      work.signal?.throwIfAborted();
      work.on?.({ kind: 'progress', task, done, total, words });
    },
  });
  return { result: await finished(result, started, work), ...others };
}

async function apply({ test, feature, confusionOut }: LinearProbeSettings, path: string, work: Work) {
  const started = performance.now();
  const { warn } = remarks(work);
  const answered = await applyClassifier(() => startEngine(work), path, test[0], feature, warn);
  const { confusion, classes }: ProbeAnswer = answered;
  work.signal?.throwIfAborted();
  const result = await finished(answered.result, started, work);
  work.on?.({ kind: 'result', result });
  if (confusionOut) await writeConfusion(confusionOut, confusion, classes);
  return result;
}

async function finished(numbers: ProbeNumbers, started: number, work: Work): Promise<ProbeRun> {
  const engine = await startEngine(work);
  return { ...numbers, seconds: (performance.now() - started) / 1000, versions: versions(engine) };
}

function remarks({ on }: Work): Remarks {
  return {
    note: (message) => on?.({ kind: 'note', message }),
    warn: (message) => on?.({ kind: 'warning', message }),
  };
}

async function checkSettings(settings: LinearProbeSettings): Promise<void> {
  const { train, test, apply, learningRates = [], holdout, out, confusionOut, state, force } = settings;
  const {
    solver = PROBE_DEFAULTS.solver,
    penalties = PROBE_DEFAULTS.penalties,
    seeds = PROBE_DEFAULTS.seeds,
  } = settings;
  checkChoices(settings);
  for (const [name, folders] of Object.entries({ train, test })) checkList(`--${name}`, folders);
  if (!test) throw usage('--test is missing: the features to test on');
  if (apply !== undefined) {
    if (test.length > 1) throw usage('--apply takes one --test folder');
  } else if (!train) throw usage('--train is missing: the features to train on');
  else if (train.length !== test.length) {
    throw usage(
      `expected as many --test folders as --train folders, ${train.length}, got ${test.length}`,
      'they are used pair by pair',
    );
  }
  if (learningRates.some((rate) => rate === 0)) throw usage('expected numbers above 0 for --learning-rates, got 0');
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice !== undefined) throw usage(`seed ${twice} is named twice`, 'the same seed gives the same result');
  if (seeds.length > 1 && solver === 'lbfgs' && penalties.length === 1 && !holdout) {
    throw usage(
      'several seeds do not go with --solver lbfgs and one of --penalties',
      'nothing is left to chance: every seed gives the same result',
    );
  }
  if ((train?.length ?? 1) * seeds.length > 1 && (out || confusionOut || state)) {
    throw usage('--out, --confusion-out and --state are for one pair of folders and one seed', 'run them one by one');
  }
  await checkOutputs({ '--out': out, '--confusion-out': confusionOut, '--state': state }, force);
}

async function checkOutputs(outputs: Record<string, string | undefined>, force?: boolean): Promise<void> {
  const confusion = outputs['--confusion-out'];
  if (confusion && !/\.(png|npy)$/i.test(confusion)) {
    throw usage(`expected a .png or .npy file for --confusion-out, got ${confusion}`);
  }
  const given = Object.entries(outputs).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const [i, [option, path]] of given.entries()) {
    const same = given.slice(0, i).find(([, other]) => resolve(other) === resolve(path));
    if (same) throw usage(`${same[0]} and ${option} name the same file, ${path}`, 'one would replace the other');
    await checkOutputFile(path, option === '--state' || force);
  }
}
