/** The library's contract: results as --json has them, events, signals that stop the work, and nothing left open. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  encode,
  exportModel,
  fid,
  generate,
  knn,
  linearProbe,
  openModel,
  plot,
  prepareData,
  readNpy,
  reconstruct,
  type TrainEvent,
  train,
} from '../src/index.js';
import { digits } from './commands/run.js';
import { bigbigan } from './paths.js';

const dir = t.testdir();
const at = (name: string) => join(dir, name);
const data = await digits(at('data'), 120);
const settings = {
  data,
  preset: 'tiny',
  precision: 'float32' as const,
  execution: 'eager' as const,
  tensorboard: false,
};
const events: TrainEvent[] = [];
const trained = await train(
  { ...settings, run: at('run'), steps: 3 },
  { threads: 1, on: (event) => events.push(event) },
);
await encode({ run: at('run'), data, out: at('features'), precision: 'float32' });

/** Files of the dataset that this process holds open. */
function openFiles(): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(join('/proc/self/fd', fd));
    } catch {
      return '';
    }
  });
  return links.filter((path) => path.startsWith(data));
}

const bytes = (run: string, step: number) =>
  readFileSync(join(at(run), 'checkpoints', `${String(step).padStart(8, '0')}.safetensors`));

t.test('training reports each step and gives what --json prints', async (t) => {
  const steps = events.flatMap((event) => (event.kind === 'step' ? [event.step] : []));
  t.same(steps, [1, 2, 3]);
  t.match(trained, { run: at('run'), step: 3, steps: 3, steps_run: 3, finished: true, preset: 'tiny', seed: 0 });
  t.ok(events.some((event) => event.kind === 'wrote' && event.path.endsWith('00000003.safetensors')));
  const again = await bigbigan(['train', '--data', data, '--run', at('run'), '--json']);
  const printed = JSON.parse(again.stdout);
  t.same(await train({ data, run: at('run') }), printed, 'a finished run');
  t.same(openFiles(), []);
});

t.test('a signal saves a checkpoint, and the same call continues to the same bytes', async (t) => {
  const stop = new AbortController();
  const on = (event: TrainEvent) => {
    if (event.kind === 'step' && event.step === 2) stop.abort();
  };
  const part = await train({ ...settings, run: at('stopped'), steps: 3 }, { signal: stop.signal, on });
  t.match(part, { step: 2, finished: false });
  t.same(openFiles(), []);
  t.match(await train({ ...settings, run: at('stopped'), steps: 3 }), { step: 3, steps_run: 1, finished: true });
  t.ok(bytes('stopped', 3).equals(bytes('run', 3)));
});

t.test('stopped in the middle, nothing is left half written or open', async (t) => {
  const stop = () => {
    const controller = new AbortController();
    return { signal: controller.signal, on: () => controller.abort(new Error('enough')) };
  };
  const model = { run: at('run'), batchSize: 10 };
  await t.rejects(encode({ ...model, data, out: at('half') }, stop()), { message: 'enough' });
  await t.rejects(generate({ ...model, count: 50, out: at('half.npy') }, stop()), { message: 'enough' });
  t.same(
    readdirSync(dir).filter((name) => name.includes('half')),
    [],
  );
  const features = [at('features')];
  const probe = { train: features, test: features, augment: { crop: 'center' as const }, flip: false };
  const once = { learningRates: [0.01], penalties: [0], steps: 50, batchSize: 16 };
  await t.rejects(linearProbe({ ...probe, ...once }, stop()), { message: 'enough' });
  t.same(openFiles(), [], 'the images that were encoded anew are closed');
  await t.rejects(fid({ real: data, fake: data, extractor: `encoder:${at('run')}`, batchSize: 10 }, stop()), {
    message: 'enough',
  });
  t.same(openFiles(), []);
});

t.test('results are those of the commands', async (t) => {
  const folders = ['--train', at('features'), '--test', at('features'), '--json', '--quiet'];
  const unlike = (result: object) => ({ ...result, seconds: 0 });
  const neighbours = await bigbigan(['knn', ...folders, '--k', '1,3']);
  const [train, test] = [[at('features')], [at('features')]];
  t.same(
    JSON.parse(JSON.stringify(unlike(await knn({ train, test, k: [1, 3] })))),
    unlike(JSON.parse(neighbours.stdout)),
  );
  const probe = await bigbigan(['linear-probe', ...folders, '--solver', 'lbfgs', '--penalties', '0.01']);
  const own = await linearProbe({ train, test, solver: 'lbfgs', penalties: [0.01] });
  t.same(
    Object.keys(own).filter((key) => own[key as keyof typeof own] !== undefined),
    Object.keys(JSON.parse(probe.stdout)),
  );
});

t.test('an open model encodes and generates as the commands do, for any number of images', async (t) => {
  await generate({ run: at('run'), count: 7, out: at('seven.npy'), precision: 'float32' });
  const written = await readNpy(at('seven.npy'));
  await using model = await openModel({ run: at('run'), batchSize: 3, precision: 'float32' });
  const seeds = Array.from({ length: 7 }, (_, seed) => seed);
  const images = model.generate(model.latents(seeds), 7);
  t.same(images, written.data);
  t.same(
    model.encode(images, 7).avepool.subarray(0, model.widths.avepool),
    model.encode(images.subarray(0, 1024), 1).avepool,
  );
  t.throws(() => model.encode(images, 8), /expected 8192 numbers for images, got 7168/);
  t.ok(existsSync(at('seven.npy')));
});

t.test('what a command refuses, its function refuses too, before anything is written', async (t) => {
  const model = { run: at('run'), precision: 'float32' as const };
  const [train_, test] = [[at('features')], [at('features')]];
  const wrong = (value: unknown) => value as never;
  const calls: [string, () => Promise<unknown>][] = [
    ['--keep', () => train({ ...settings, run: at('no'), steps: 3, keep: 0 })],
    ['--log-every', () => train({ ...settings, run: at('no'), steps: 3, logEvery: 0 })],
    ['--on-nan', () => train({ ...settings, run: at('no'), steps: 3, onNan: wrong('x') })],
    ['--eval-every', () => train({ ...settings, run: at('no'), steps: 3, evaluation: { every: 0.5 } })],
    ['--select', () => train({ ...settings, run: at('no'), steps: 3, evaluation: { every: 1, select: wrong('x') } })],
    ['--batch-size', () => generate({ ...model, out: at('no.npy'), batchSize: 0 })],
    ['--truncation', () => generate({ ...model, out: at('no.npy'), truncation: Number.NaN })],
    ['--seeds', () => generate({ ...model, out: at('no.npy'), seeds: [-1] })],
    ['--count', () => generate({ ...model, out: at('no.npy'), count: 1.5 })],
    ['--run, --checkpoint or --model', () => generate({ out: at('no.npy') })],
    ['--columns', () => reconstruct({ ...model, data, out: at('no.png'), columns: 0 })],
    ['--weights', () => openModel({ ...model, weights: wrong('ema') })],
    ['--precision', () => encode({ run: at('run'), data, out: at('no'), precision: wrong('fp16') })],
    ['--run or --checkpoint', () => exportModel({ out: at('no') })],
    ['--metric', () => knn({ train: train_, test, metric: wrong('euclid') })],
    ['--k', () => knn({ train: train_, test, k: [0] })],
    ['--train', () => knn({ train: wrong(at('features')), test })],
    ['--solver', () => linearProbe({ train: train_, test, solver: wrong('newton') })],
    ['--steps', () => linearProbe({ train: train_, test, steps: 0 })],
    ['--penalties', () => linearProbe({ train: train_, test, penalties: [-1] })],
    ['--learning-rates', () => linearProbe({ train: train_, test, learningRates: [] })],
    ['--metrics', () => fid({ real: at('features'), fake: at('features'), metrics: wrong(['foo']) })],
    ['--kid-subsets', () => fid({ real: at('features'), fake: at('features'), metrics: ['kid'], kidSubsets: 0 })],
    ['--channels', () => prepareData({ sources: [data], out: at('no'), resolution: 8, channels: wrong(2) })],
    ['--holdout', () => prepareData({ sources: [data], out: at('no'), resolution: 8, holdout: -5 })],
    ['SOURCE', () => prepareData(wrong({ out: at('no'), resolution: 8 }))],
    ['RUN', () => plot({ runs: [], out: at('no.svg') })],
  ];
  for (const [name, call] of calls) {
    await t.rejects(call(), { name: 'UserError', exitCode: 2, message: new RegExp(`${name}\\b`) }, name);
  }
  t.same(
    readdirSync(dir).filter((name) => name.startsWith('no')),
    [],
  );
});

t.test('a setting that is undefined has its default', async (t) => {
  const sets = { real: at('features'), fake: at('features'), metrics: ['kid' as const], kidSubsetSize: 5 };
  const own = await fid(sets);
  const undefinedOnes = await fid({ ...sets, seed: undefined, kidSubsets: undefined, batchSize: undefined });
  t.same({ ...undefinedOnes, seconds: 0 }, { ...own, seconds: 0 });
});
