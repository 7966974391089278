import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { presetNames } from '../../src/core/config/presets.js';
import { sha256File } from '../../src/core/formats/digest.js';
import { readSafetensorsHeader } from '../../src/core/formats/safetensors.js';
import { shown } from '../events.js';
import { bigbigan, fixture, root } from '../paths.js';
import { AS_GRAPH, digits, fails, succeed, words } from './run.js';

const dir = t.testdir();
const data = await digits(join(dir, 'data'));
const run = (name: string) => join(dir, name);
const args = (name: string, ...more: string[]) => ['train', '--data', data, '--run', run(name), ...AS_GRAPH, ...more];
const log = (name: string) =>
  readFileSync(join(run(name), 'log.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, number>);
const checkpoint = (name: string, step: number) =>
  join(run(name), 'checkpoints', `${String(step).padStart(8, '0')}.safetensors`);

/** A mistake: its code, nothing on stdout, these words on stderr. */
t.test('--list-presets', async (t) => {
  const { stdout, stderr } = await succeed(['train', '--list-presets']);
  t.equal(stdout, `${presetNames.join('\n')}\n`);
  t.equal(stderr, '');
});

t.test('--dry-run: settings and parameters, without data, engine or files', async (t) => {
  const file = join(dir, 'settings.json');
  writeFileSync(file, JSON.stringify({ train: { batchSize: 4, decayTo: 0.5, steps: 4 } }));
  const options = [
    '--config',
    file,
    '--set',
    'train.batchSize=6',
    '--set',
    'train.adam.beta1=0.5',
    '--steps',
    '9',
    '--seed',
    '3',
    '--objective',
    'xz,x',
  ];
  const dry = ['train', ...AS_GRAPH, ...options, '--run', run('dry'), '--dry-run'];
  const { stdout, stderr } = await succeed([...dry, '--json'], { env: { BIGBIGAN_CACHE: join(dir, 'nothing') } });
  t.equal(stderr, '');
  t.equal(stdout.split('\n').length, 2);
  const wanted = JSON.parse(readFileSync(fixture('model/parameters.json'), 'utf8')).tiny as Record<string, number>;
  t.match(JSON.parse(stdout), {
    preset: 'tiny',
    seed: 3,
    model: { discriminator: { scores: ['xz', 'x'] } },
    train: { batchSize: 6, decayTo: 0.5, steps: 9, adam: { beta1: 0.5 }, precision: 'float32' },
    // s_z is a layer of 16 weights and a bias.
    parameters: { ...wanted, discriminator: wanted.discriminator - 17 },
  });
  t.notOk(existsSync(run('dry')));
  t.match((await succeed(dry)).stdout, /generator +2,605 parameters/);
});

t.test('a run, its files and its result', async (t) => {
  const options = [
    '--steps',
    '6',
    '--set',
    'train.decayFrom=1',
    '--log-every',
    '2',
    '--sample-every',
    '4',
    '--checkpoint-every',
    '3',
  ];
  const { stdout, stderr } = await succeed(args('straight', ...options, '--json'));
  t.match(JSON.parse(stdout), {
    run: run('straight'),
    data,
    data_digest: /^[0-9a-f]{64}$/,
    preset: 'tiny',
    seed: 0,
    precision: 'float32',
    step: 6,
    steps_run: 6,
    seconds_per_step: Number,
    finished: true,
    checkpoint: checkpoint('straight', 6),
    tensorflow: /^2\./,
    seconds: Number,
  });
  t.match(stderr, /train 6\/6 L_D/);
  t.match(readdirSync(run('straight')).sort(), [
    'checkpoints',
    'config.json',
    'data.json',
    /^events\.out\.tfevents\.\d{10}\./,
    'log.jsonl',
    'samples',
  ]);
  t.same(readdirSync(join(run('straight'), 'checkpoints')), ['00000003.safetensors', '00000006.safetensors']);
  t.same(
    readdirSync(join(run('straight'), 'samples')),
    ['00000004', '00000006'].flatMap((step) => [`${step}-reconstructions.png`, `${step}-seed0.png`]),
  );
  t.match(JSON.parse(readFileSync(join(run('straight'), 'config.json'), 'utf8')), {
    preset: 'tiny',
    train: { steps: 6 },
  });
  const lines = log('straight');
  t.same(
    lines.map(({ step, epoch }) => [step, epoch]),
    [
      [2, 0.4],
      [4, 0.8],
      [6, 1.2],
    ],
  );
  for (const line of lines) {
    t.same(Object.keys(line), [
      'step',
      'epoch',
      'loss_d',
      'loss_eg',
      ...['xz', 'x', 'z'].flatMap((term) => [`score_${term}_encoder`, `score_${term}_generator`]),
      'encoder_mean_std',
      'encoder_sigma',
      ...['generator', 'encoder', 'discriminator'].map((module) => `learning_rate_${module}`),
      'seconds_per_step',
      'data_wait_per_step',
      'images_per_second',
    ]);
    t.ok(Object.values(line).every(Number.isFinite));
  }
  const events = shown(run('straight'));
  for (const [name, value] of lines.flatMap((line) => Object.entries(line).filter(([name]) => name !== 'step'))) {
    t.ok([...events.get(`train/${name}`)!.values()].includes(Math.fround(value)), name);
  }
  for (const name of ['samples', 'reconstructions']) t.same([...events.get(name)!.keys()], [4, 6]);
  const { tensors, metadata } = await readSafetensorsHeader(checkpoint('straight', 6));
  t.same([...tensors.keys()].sort(), Object.keys(JSON.parse(readFileSync(fixture('model/tiny.json'), 'utf8'))));
  t.equal(metadata.step, '6');
});

t.test('a batch that threads do not share evenly', async (t) => {
  const { finished } = JSON.parse(
    (await succeed(args('odd', '--batch-size', '3', '--steps', '12', '--json'))).stdout,
  ) as { finished: boolean };
  t.ok(finished);
});

t.test('the same command again does nothing', async (t) => {
  const before = await sha256File(checkpoint('straight', 6));
  const { stdout, stderr } = await succeed(args('straight', '--steps', '6', '--set', 'train.decayFrom=1'));
  t.equal(stdout, `${checkpoint('straight', 6)}\n`);
  t.match(stderr, /has finished its 6 steps/);
  t.equal(await sha256File(checkpoint('straight', 6)), before);
  const { stdout: json } = await succeed(
    args('straight', '--steps', '5', '--set', 'train.decayFrom=1', '--json', '--quiet'),
  );
  t.match(JSON.parse(json), { step: 6, steps_run: 0, finished: true });
});

t.test('3 steps and 3 more are 6 steps, to the last byte', async (t) => {
  const options = ['--set', 'train.decayFrom=1', '--log-every', '2', '--no-tensorboard'];
  const { stdout, stderr } = await succeed(args('twice', ...options, '--steps', '3', '--quiet'));
  t.equal(stdout, `${checkpoint('twice', 3)}\n`);
  t.equal(words(stderr), '', '--quiet');
  const { stderr: resumed } = await succeed(args('twice', ...options, '--steps', '6'));
  t.match(resumed, /continuing from step 3/);
  t.notMatch(resumed, /learning rates/);
  t.equal(await sha256File(checkpoint('twice', 6)), await sha256File(checkpoint('straight', 6)));
  t.same(
    log('twice').map(({ step }) => step),
    [2, 3, 4, 6],
  );
  t.same(
    readdirSync(run('twice')).filter((name) => name.includes('tfevents')),
    [],
  );
});

/** Starts a long run, sends a signal once it has logged a step, and waits for the end. */
async function interrupt(name: string, signal: NodeJS.Signals, ...more: string[]) {
  const child = spawn(process.execPath, [join(root, 'bin', 'bigbigan.js'), ...args(name, ...more, '--log-every', '1')]);
  let stdout = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  for (let i = 0; i < 1200 && !existsSync(join(run(name), 'log.jsonl')); i++)
    await new Promise((done) => setTimeout(done, 50));
  child.kill(signal);
  return { code: await ended, stdout };
}

t.test('SIGINT saves and exits with 130; the same command finishes the run as if nothing had been', async (t) => {
  const options = ['--steps', '24', '--checkpoint-every', '1000', '--eager'];
  const { code, stdout } = await interrupt('interrupted', 'SIGINT', ...options, '--json');
  t.equal(code, 130);
  const { step, finished } = JSON.parse(stdout) as { step: number; finished: boolean };
  t.equal(finished, false);
  t.ok(step > 0 && step < 24, `${step}`);
  t.same(readdirSync(join(run('interrupted'), 'checkpoints')), [`${String(step).padStart(8, '0')}.safetensors`]);
  t.equal(log('interrupted').at(-1)!.step, step);
  // As after a crash: lines of steps that the checkpoint does not have, and half a line.
  const path = join(run('interrupted'), 'log.jsonl');
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"step":${step + 1}}\n{"st`);
  await succeed(args('interrupted', ...options, '--log-every', '1'));
  t.same(
    log('interrupted').map((line) => line.step),
    Array.from({ length: 24 }, (_, i) => i + 1),
  );
  await succeed(args('whole', ...options));
  t.equal(await sha256File(checkpoint('interrupted', 24)), await sha256File(checkpoint('whole', 24)));
});

t.test('SIGTERM saves and exits with 143', async (t) => {
  const { code, stdout } = await interrupt('terminated', 'SIGTERM', '--steps', '100000', '--eager');
  t.equal(code, 143);
  t.ok(existsSync(stdout.trim()), stdout);
});

t.test('other settings, seeds and precisions are refused for a run that has begun', async (t) => {
  const again = (...more: string[]) => args('straight', '--steps', '9', '--set', 'train.decayFrom=1', ...more);
  await fails(t, 2, again('--batch-size', '4'), /begun with train\.batchSize = 8, not 4/, /another --run/);
  await fails(t, 2, again('--seed', '1'), /begun with seed = 0, not 1/);
  await fails(t, 2, again('--objective', 'xz'), /model\.discriminator\.scores/);
  await fails(t, 2, again('--precision', 'bf16'), /train\.precision/);
  await fails(
    t,
    2,
    ['train', '--data', data, '--run', run('straight'), '--preset', 'mnist', '--batch-size', '8'],
    /begun with preset = "tiny", not "mnist"/,
  );
});

t.test('other images are refused for a run that has begun; the same ones elsewhere are not', async (t) => {
  const on = (images: string) => [
    'train',
    '--data',
    images,
    '--run',
    run('straight'),
    ...AS_GRAPH,
    '--steps',
    '6',
    '--set',
    'train.decayFrom=1',
  ];
  const fewer = await digits(join(dir, 'fewer'), 32);
  await fails(t, 2, on(fewer), /begun with the 40 images of .*data, not the 32 of --data .*fewer/, /another --run/);
  cpSync(data, join(dir, 'moved'), { recursive: true });
  t.equal((await bigbigan(on(join(dir, 'moved')))).code, 0);
});

t.test('a run goes on in the arithmetic that it began with, unless another one is asked for', async (t) => {
  const own = ['train', '--data', data, '--run', run('straight')];
  t.match(
    JSON.parse((await succeed([...own, '--json'])).stdout),
    { step: 6, steps_run: 0, finished: true },
    'and with its settings',
  );
  await fails(t, 2, [...own, '--preset', 'mnist'], /begun with preset = "tiny", not "mnist"/);
  const bare = [...own, '--preset', 'tiny', '--set', 'train.decayFrom=1', '--steps', '6'];
  t.match(JSON.parse((await succeed([...bare, '--json'])).stdout), { finished: true });
  await fails(t, 2, [...bare, '--set', 'train.precision=bf16'], /train\.precision/);
});

t.test('data that do not fit, or are not there', async (t) => {
  await fails(
    t,
    1,
    args(
      'none',
      '--set',
      'model.resolution=16',
      '--set',
      'model.encoder.resolution=16',
      '--set',
      'model.generator.multipliers=2,2,1',
      '--set',
      'model.latent=6',
    ),
    /16×16×1/,
    /32×32×1/,
    /--resolution 16/,
  );
  await fails(t, 1, args('none', '--set', 'model.channels=3'), /32×32×3/);
  await fails(t, 1, args('none', '--batch-size', '41'), /one batch of 41 images/, /40/);
  await fails(t, 1, ['train', '--data', join(dir, 'nowhere'), '--run', run('none')], /a dataset folder/, /nowhere/);
  t.notOk(existsSync(run('none')), 'nothing is left behind');
});

t.test('folders that are no runs are left alone', async (t) => {
  mkdirSync(run('thesis'));
  writeFileSync(join(run('thesis'), 'thesis.tex'), 'precious');
  await fails(t, 1, args('thesis'), /an empty folder or a run/, /thesis\.tex/);
  t.same(readdirSync(run('thesis')), ['thesis.tex']);
  writeFileSync(run('file'), '');
  await fails(t, 1, args('file'), /a folder/, /a file/);
  mkdirSync(run('other'));
  writeFileSync(join(run('other'), 'config.json'), '{}');
  const { code, stderr } = await bigbigan(['train', '--data', data, '--run', run('other'), '--preset', 'tiny']);
  t.not(code, 0);
  t.notMatch(stderr, /unexpected/);
  t.equal(readFileSync(join(run('other'), 'config.json'), 'utf8'), '{}');
});

t.test('--dry-run refuses images that do not fit, and other settings than those of the run', async (t) => {
  const dry = ['train', '--data', data, '--preset', 'tiny', '--dry-run'];
  t.equal((await succeed(dry)).stdout, (await succeed(['train', '--preset', 'tiny', '--dry-run'])).stdout);
  await fails(t, 1, [...dry, '--set', 'model.channels=3'], /32×32×1/, /32×32×3/);
  await fails(t, 1, ['train', '--data', join(dir, 'none'), '--preset', 'tiny', '--dry-run'], /none/);
  await fails(t, 2, args('straight', '--steps', '6', '--seed', '9', '--dry-run'), /was begun with seed = 0, not 9/);
});

t.test('another total bends the curve along which learning rates fall, which is said', async (t) => {
  const train = async (steps: number) =>
    (await succeed(args('bent', '--steps', String(steps), '--set', 'train.decayFrom=0.4'))).stderr;
  t.notMatch(await train(1), /learning rates/);
  t.notMatch(await train(3), /learning rates/, 'the first step is the same in both');
  t.match(await train(4), /warning: learning rates fell towards step 3 so far and fall towards 4 from here/);
  t.notMatch(await train(3), /learning rates/, 'nothing is trained');
});

t.test('a damaged newest checkpoint is named and put aside, and the one before it is used', async (t) => {
  cpSync(run('straight'), run('damaged'), { recursive: true });
  truncateSync(checkpoint('damaged', 6), 100_000);
  // Nothing is evaluated in place of what was asked for.
  await fails(
    t,
    1,
    ['generate', '--run', run('damaged'), '--out', join(dir, 'none.npy')],
    /00000006\.safetensors/,
    /--checkpoint .*00000003\.safetensors/,
  );
  const { stdout, stderr } = await succeed(
    args('damaged', '--steps', '6', '--set', 'train.decayFrom=1', '--log-every', '2'),
  );
  t.equal(stdout, `${checkpoint('damaged', 6)}\n`);
  t.match(
    stderr,
    /warning: expected \d+ bytes as its header says for .*00000006\.safetensors, got 100000 bytes; it is now .*00000006\.safetensors\.damaged/,
  );
  t.match(stderr, /continuing from step 3/);
  t.same(readdirSync(join(run('damaged'), 'checkpoints')), [
    '00000003.safetensors',
    '00000006.safetensors',
    '00000006.safetensors.damaged',
  ]);
  t.equal(await sha256File(checkpoint('damaged', 6)), await sha256File(checkpoint('straight', 6)));
  t.same(
    log('damaged').map(({ step }) => step),
    [2, 4, 6],
  );
});

t.test('where all checkpoints are damaged, nothing is begun anew', async (t) => {
  cpSync(run('straight'), run('lost'), { recursive: true });
  for (const step of [3, 6]) truncateSync(checkpoint('lost', step), 100_000);
  await fails(
    t,
    1,
    args('lost', '--steps', '6', '--set', 'train.decayFrom=1'),
    /no checkpoint of .* can be read/,
    /00000006\.safetensors, got 100000/,
    /00000003\.safetensors, got 100000/,
  );
  t.same(readdirSync(join(run('lost'), 'checkpoints')), ['00000003.safetensors', '00000006.safetensors']);
  t.same(
    log('lost').map(({ step }) => step),
    [2, 4, 6],
    'the log is as it was',
  );
});

t.test('mistakes of usage', async (t) => {
  await fails(t, 2, ['train', '--run', run('none')], /--data is missing/);
  await fails(t, 2, ['train', '--data', data], /--run is missing/);
  await fails(t, 2, args('none', '--preset', 'minst'), /no preset "minst"/, /mnist, .*tiny/);
  await fails(t, 2, args('none', '--set', 'train.batchsize=3'), /nearest is train\.batchSize/);
  await fails(t, 2, args('none', '--objective', 'x,z'), /joint score xz/);
  await fails(t, 2, args('none', '--steps', '-1'), /--steps/);
  await fails(t, 2, args('none', '--log-every', '0'), /--log-every/);
  await fails(t, 2, args('none', '--keep', '0'), /--keep/, /or all/);
  for (const time of ['2', '0s', '-1h', '1d', 'h'])
    await fails(t, 2, args('none', `--time-limit=${time}`), /90s, 30m or 2h/);
  await fails(t, 1, args('none', '--config', join(dir, 'nowhere.json')), /nowhere\.json/, /ENOENT/);
  writeFileSync(join(dir, 'broken.json'), '{"train":');
  await fails(t, 1, args('none', '--config', join(dir, 'broken.json')), /JSON/, /broken\.json/);
});

t.test('the settings of a run, given as --config, make the same run', async (t) => {
  const saved = join(run('straight'), 'config.json');
  const { stdout } = await succeed(['train', '--config', saved, '--dry-run', '--json']);
  const { preset, seed, model, train } = JSON.parse(stdout) as Record<string, unknown>;
  t.same({ preset, seed, model, train }, JSON.parse(readFileSync(saved, 'utf8')));
  const printed = join(dir, 'printed.json');
  writeFileSync(printed, stdout);
  t.equal(
    (await succeed(['train', '--config', printed, '--dry-run', '--json'])).stdout,
    stdout,
    'what --dry-run printed',
  );
  writeFileSync(printed, JSON.stringify({ ...JSON.parse(stdout), parameter: 1 }));
  await fails(t, 2, ['train', '--config', printed, '--dry-run'], /no setting parameter \(in .*printed\.json\)/);
  const other = join(dir, 'other.json');
  writeFileSync(other, JSON.stringify({ preset: 'bigan-mnist', model: { generator: { hidden: 64 } } }));
  const dense = JSON.parse((await succeed(['train', '--config', other, '--dry-run', '--json'])).stdout) as Record<
    string,
    unknown
  >;
  t.match(dense, { preset: 'bigan-mnist', model: { generator: { kind: 'dense', hidden: 64 } } });
  await fails(
    t,
    2,
    ['train', '--config', other, '--preset', 'tiny', '--dry-run'],
    /--preset tiny does not go with .*other\.json, which has the preset bigan-mnist/,
  );
  writeFileSync(other, '{"preset":"minst"}');
  await fails(t, 2, ['train', '--config', other, '--dry-run'], /no preset "minst"/);
});
