/** `onNan: 'rollback'`: training goes back to a checkpoint, tries other random numbers, and stays repeatable. */
import t from 'tap';
import type { Engine } from '../../../src/core/backend/engine.js';
import { UserError } from '../../../src/core/errors.js';
import { sha256File } from '../../../src/core/formats/digest.js';
import { readJsonl } from '../../../src/core/formats/jsonl.js';
import { readCheckpoint, readCheckpointHeader, saveCheckpoint } from '../../../src/core/run/checkpoint.js';
import type { Retry } from '../../../src/core/run/checkpoint-header.js';
import { beginRun, listCheckpoints } from '../../../src/core/run/run-folder.js';
import type { EvaluationSettings } from '../../../src/core/train/evaluation/evaluations.js';
import { runVariables } from '../../../src/core/train/initial.js';
import type { LoopEvent } from '../../../src/core/train/loop-settings.js';
import { drawOf, retriesAfter } from '../../../src/core/train/retry.js';
import { NotFinite, nonFiniteVariable } from '../../../src/core/train/step/non-finite.js';
import { stepFunction } from '../../../src/core/train/step/step.js';
import { engine, loops } from './loops.js';

const STEPS = 12;
const { dataset, config, folder, train: trainRun, evaluations } = await loops(t, STEPS);
const path = (name: string) => folder(name).path;
const checkpoint = (name: string, step: number) => folder(name).checkpoint(step);

/**
 * An engine that fails: in steps whose noise has such a key, E's learning rate is not a number, and so are its weights
 * then.
 */
function failing(fails: (noiseKey: number) => boolean): Engine {
  // A step's inputs are made in order; the key is the one int32 number among them.
  const names = Object.keys(stepFunction(config).inputs);
  let [place, broken] = [-1, false];
  const constant: Engine['constant'] = (values, shape, dtype) => {
    if (dtype === 'int32' && shape.length === 0) [place, broken] = [names.indexOf('step'), fails(values[0] as number)];
    else place++;
    return engine.constant(broken && names[place] === 'encoder_rate' ? Float32Array.of(NaN) : values, shape, dtype);
  };
  return { ...engine, constant };
}

/** Trains, a checkpoint every 4 steps; `on` may throw, as if the process were killed. */
async function train(
  name: string,
  fails: (noiseKey: number) => boolean,
  onNan?: 'stop' | 'rollback',
  on: (event: LoopEvent) => void = () => {},
  evaluation?: EvaluationSettings,
) {
  const warnings: string[] = [];
  const result = await trainRun(name, {
    ...{ engine: failing(fails), onNan, evaluation, logEvery: 1, checkpointEvery: 4 },
    on: (event) => {
      if (event.kind === 'warning') warnings.push(`step ${event.step}: ${event.message}`);
      on(event);
    },
  });
  return { ...result, warnings };
}

/** Of log.jsonl. */
async function lines(name: string) {
  const all = await readJsonl<Record<string, unknown>>(folder(name).log);
  return all.map(({ seconds_per_step: _s, data_wait_per_step: _w, images_per_second: _i, ...rest }) => rest);
}

const never = () => false;
const atFive = (noiseKey: number) => noiseKey === 5;
await train('healthy', never, 'rollback');

t.test('without a failure a checkpoint says nothing of it', async (t) => {
  t.equal((await readCheckpointHeader(checkpoint('healthy', STEPS))).retries, undefined);
});

t.test('by default the run ends, and names step, term and checkpoint', async (t) => {
  const error = await train('stopped', atFive).catch((error: unknown) => error as NotFinite);
  t.ok(error instanceof NotFinite);
  t.match((error as NotFinite).message, /^step 7: loss_d is NaN; \w+\/\S+ has numbers that are not finite$/);
  t.match((error as NotFinite).hint, `the last good checkpoint is ${checkpoint('stopped', 4)};`);
  t.same(
    (await listCheckpoints(path('stopped'))).map(({ step }) => step),
    [4],
  );
});

t.test('gradients that are not finite end it where losses are', async (t) => {
  const { values } = await readCheckpoint(checkpoint('healthy', 4), runVariables(config));
  // What a gradient leaves that was not finite.
  values.get('adam/m/encoder/output/kernel')!.data[0] = NaN;
  await beginRun(path('gradient'), config);
  await saveCheckpoint(checkpoint('gradient', 4), values, { step: 4, config });
  const error = await train('gradient', never).catch((error: unknown) => error as NotFinite);
  t.ok(error instanceof NotFinite);
  t.match((error as NotFinite).message, /^step 5: gradient_encoder is NaN; /);
  t.match((error as NotFinite).hint, `the last good checkpoint is ${checkpoint('gradient', 4)};`);
});

t.test('training goes back, and on with other noise and other batches', async (t) => {
  const { finished, step, warnings } = await train('back', atFive, 'rollback');
  t.match({ finished, step }, { finished: true, step: STEPS });
  t.same(warnings, [
    'step 7: loss_d is NaN; training goes back to step 4 and on with other random numbers, try 1 of 3',
  ]);
  const { values, retries } = await readCheckpoint(checkpoint('back', STEPS), runVariables(config));
  t.equal(nonFiniteVariable(values), undefined);
  t.same(retries, [{ from: 4, until: 7, draw: 1, tries: 1 }]);
  const [log, healthy] = [await lines('back'), await lines('healthy')];
  t.same(
    log.map(({ step }) => step),
    [1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12],
  );
  t.same(log.slice(0, 4), healthy.slice(0, 4));
  t.same(log[4], { step: 5, rollback: { failed: 7, term: 'loss_d is NaN', to: 4, try: 1 } });
  t.not(log[5].loss_d, healthy[4].loss_d, 'step 5 is another one');
});

t.test('a process that is killed after that goes on to the same end', async (t) => {
  for (const [name, at, after] of [
    ['killed before the next checkpoint', 6, 1],
    ['killed after it', 10, 1],
  ] as const) {
    let seen = 0;
    const kill = (event: LoopEvent) => {
      if (event.kind === 'warning') seen++;
      if (event.kind === 'step' && event.step === at && seen === after) throw new Error('killed');
    };
    await t.rejects(train(name, atFive, 'rollback', kill), { message: 'killed' });
    await train(name, at > 8 ? never : atFive, 'rollback');
    t.equal(await sha256File(checkpoint(name, STEPS)), await sha256File(checkpoint('back', STEPS)), name);
    t.same(await lines(name), await lines('back'));
  }
});

t.test('evaluations: each step has one line, of the weights that were kept', async (t) => {
  const settings = { every: 2, dataset, images: 20, names: ['knn', 'linear_probe', 'reconstruct', 'encoder'] } as const;
  await train('evaluated', never, 'rollback', undefined, settings);
  const undisturbed = await evaluations('evaluated');
  for (const [name, key, select] of [
    ['evaluated with weights that are no numbers', 5, 'reconstruction'],
    ['evaluated before the failure', 6, undefined],
  ] as const) {
    const { best, finished, warnings } = await train(name, (noiseKey) => noiseKey === key, 'rollback', undefined, {
      ...settings,
      select,
    });
    t.ok(finished);
    t.match(warnings, [new RegExp(`^step ${key + 2}: loss_d is NaN; training goes back to step 4 `)]);
    const found = await evaluations(name);
    t.same(
      found.map(({ step }) => step),
      [2, 4, 6, 8, 10, 12],
    );
    t.same(found.slice(0, 2), undisturbed.slice(0, 2));
    t.not(found[2].reconstruct!.l1_ratio, undisturbed[2].reconstruct!.l1_ratio, 'step 6 is another one');
    const ratios = found.map(({ reconstruct }) => reconstruct!.l1_ratio);
    t.ok(ratios.every(Number.isFinite), `${ratios}`);
    t.equal(best?.step, select && found[ratios.indexOf(Math.min(...ratios))].step);
    if (best) t.equal((await readCheckpointHeader(folder(name).best)).step, best.step);
  }
});

t.test('where there is no checkpoint yet, it goes back to the start', async (t) => {
  const { finished, warnings } = await train('early', (noiseKey) => noiseKey === 1, 'rollback');
  t.ok(finished);
  t.match(warnings, [/^step 3: loss_d is NaN; training goes back to step 0 /]);
});

t.test('what fails again and again ends the run', async (t) => {
  const warnings: string[] = [];
  const note = (event: LoopEvent) => {
    if (event.kind === 'warning') warnings.push(event.message);
  };
  const error = await train('hopeless', (noiseKey) => noiseKey < 0 || noiseKey > 4, 'rollback', note).catch(
    (error: unknown) => error as UserError,
  );
  t.ok(error instanceof UserError);
  t.match((error as UserError).message, /^step \d+: loss_d is NaN/);
  t.match((error as UserError).hint, /^3 tries from step 4 on, each with other random numbers, came to such an end/);
  t.same(
    warnings.map((message) => message.slice(-10)),
    ['try 1 of 3', 'try 2 of 3', 'try 3 of 3'],
  );
  t.same(
    (await listCheckpoints(path('hopeless'))).map(({ step }) => step),
    [4],
  );
});

t.test('draws', async (t) => {
  const failed = (step: number) => new NotFinite(step, 'loss_d is NaN', undefined, undefined);
  const draws = (retries: Retry[]) => Array.from({ length: 12 }, (_, step) => drawOf(retries, step));
  const first = retriesAfter(failed(7), [], 4);
  t.same(draws(first), [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0]);
  t.same(draws(retriesAfter(failed(6), first, 4)), [0, 0, 0, 0, 2, 2, 2, 0, 0, 0, 0, 0], 'up to the farthest failure');
  const next = retriesAfter(failed(10), first, 6);
  t.same(draws(next), [0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 0, 0], 'a checkpoint within steps that have been retried');
  t.same(
    next.map(({ tries }) => tries),
    [1, 1],
    'is progress',
  );
});
