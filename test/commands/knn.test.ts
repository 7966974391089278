import { readFileSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { sha256File } from '../../src/core/formats/digest.js';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import { bigbigan, fixture } from '../paths.js';
import { features } from './features.js';
import { fails } from './run.js';

const train = fixture('metrics/knn/train');
const test = fixture('metrics/knn/test');
interface Golden extends Record<string, Record<string, number>> {}
const all = JSON.parse(readFileSync(fixture('metrics/knn.json'), 'utf8')) as Record<string, unknown>;
const golden = all as unknown as Golden;
const weighted = all.weighted as { top1: object; top5: object };
const nearest = all['neighbours-l1'] as { indices: number[][]; distances: number[][] };
const ks = ['--k', '1,2,5,25'];

t.test("NumPy's folders give NumPy's accuracies", async (t) => {
  for (const [words, name] of [
    [['--metric', 'l1'], 'l1'],
    [['--metric', 'l2'], 'l2'],
    [['--metric', 'cosine'], 'l2'],
    [['--metric', 'l1', '--no-normalise'], 'l1-raw'],
    [['--metric', 'l2', '--no-normalise'], 'l2-raw'],
  ] as const) {
    const { code, stdout } = await bigbigan(['knn', '--train', train, '--test', test, ...ks, ...words, '--json']);
    t.equal(code, 0);
    t.same((JSON.parse(stdout) as { top1: object }).top1, golden[name], words.join(' '));
  }
});

t.test('features in half precision have the neighbours of the same numbers in float32', async (t) => {
  const folders = ['--train', fixture('metrics/half/train'), '--test', fixture('metrics/half/test')];
  const dir = t.testdir();
  const outputs: Buffer[] = [];
  for (const feature of ['avepool', 'rounded']) {
    const out = join(dir, feature);
    const { code } = await bigbigan(['knn', ...folders, '--feature', feature, '--k', '25', '--neighbours-out', out]);
    t.equal(code, 0);
    outputs.push(...['indices.npy', 'distances.npy'].map((name) => readFileSync(join(out, name))));
  }
  t.ok(outputs[0].equals(outputs[2]) && outputs[1].equals(outputs[3]));
});

t.test('bn_crelu is computed from avepool, and equals the file of it', async (t) => {
  const dir = t.testdir();
  const ask = ['--feature', 'bn_crelu', ...ks, '--json'];
  const computed = JSON.parse((await bigbigan(['knn', '--train', train, '--test', test, ...ask])).stdout);
  t.match(computed, {
    computed_from: 'avepool',
    bn_statistics: /training rows/,
    train: { width: 24 },
    test: { width: 24 },
  });
  const rowsOf = async (folder: string) => (await readNpy(join(folder, 'avepool.npy'))).data as Float32Array;
  const base = await rowsOf(train);
  const columns = Array.from({ length: 12 }, (_, j) => base.filter((_, i) => i % 12 === j));
  const mean = columns.map((column) => column.reduce((a, b) => a + b, 0) / 400);
  const deviation = columns.map((column, j) => Math.sqrt(column.reduce((a, b) => a + (b - mean[j]) ** 2, 0) / 400));
  for (const folder of [train, test]) {
    const copy = join(dir, basename(folder));
    await cp(folder, copy, { recursive: true });
    const rows = await rowsOf(folder);
    const crelu = Float32Array.from({ length: 2 * rows.length }, (_, i) => {
      const j = i % 24;
      const h = (rows[Math.floor(i / 24) * 12 + (j % 12)] - mean[j % 12]) / deviation[j % 12];
      return Math.max(0, j < 12 ? h : -h);
    });
    await writeNpy(join(copy, 'bn_crelu.npy'), [rows.length / 12, 24], crelu);
  }
  const read = JSON.parse(
    (await bigbigan(['knn', '--train', join(dir, 'train'), '--test', join(dir, 'test'), ...ask])).stdout,
  );
  t.equal(read.computed_from, undefined);
  t.same(read.top1, computed.top1);
});

t.test('the result says what it was made of', async (t) => {
  const { stdout, stderr } = await bigbigan(['knn', '--train', train, '--test', test, '--k', '5,1,5', '--json']);
  t.match(JSON.parse(stdout), {
    top1: { 1: golden.l2[1], 5: golden.l2[5] },
    metric: 'l2',
    normalised: true,
    feature: 'avepool',
    leave_one_out: false,
    train: { path: train, rows: 400, width: 12, digest: await sha256File(join(train, 'avepool.npy')) },
    test: { path: test, rows: 90, digest: await sha256File(join(test, 'avepool.npy')) },
    classes: 7,
    seconds: Number,
    versions: { bigbigan: /^\d/, tensorflow: /^2\./, node: process.versions.node },
  });
  t.notMatch(stderr, /warning/);
});

t.test('text for reading', async (t) => {
  const { stdout } = await bigbigan(['knn', '--train', train, '--test', test, '--k', '1']);
  t.equal(stdout, `k 1: top-1 ${(100 * golden.l2[1]).toFixed(2)} %\n`);
});

t.test('the same set on both sides leaves each row out of its own vote', async (t) => {
  const { stdout, stderr } = await bigbigan(['knn', '--train', train, '--test', train, ...ks, '--json']);
  t.match(JSON.parse(stdout), { top1: golden['leave-one-out'], leave_one_out: true });
  t.match(stderr, /leaving each row out/);
});

t.test("votes weighted by similarity are NumPy's", async (t) => {
  const { stdout } = await bigbigan([
    'knn',
    '--train',
    train,
    '--test',
    test,
    ...ks,
    '--metric',
    'cosine',
    '--temperature',
    '0.07',
    '--json',
  ]);
  t.match(JSON.parse(stdout), { top1: golden.l2, weighted_right: weighted, temperature: 0.07 });
});

t.test('shards add up to the whole, and only together', async (t) => {
  const dir = t.testdir();
  const ask = ['knn', '--train', train, '--test', test, ...ks, '--metric', 'cosine', '--temperature', '0.07', '--json'];
  const near = (name: string) => ['--neighbours-out', join(dir, name)];
  const whole = JSON.parse((await bigbigan([...ask, ...near('near')])).stdout);
  const parts: string[] = [];
  for (const shard of ['1/3', '2/3', '3/3']) {
    const part = (await bigbigan([...ask, '--shard', shard, ...near(`near${shard[0]}`)])).stdout;
    t.match(JSON.parse(part), { shard, queries: 30, neighbours_out: join(dir, `near${shard[0]}`) });
    parts.push(join(dir, `part${parts.length}.json`));
    await writeFile(parts.at(-1)!, part);
  }
  const { top1, weighted_top1, weighted_top5, right, queries } = whole;
  const wanted = { top1, weighted_top1, weighted_top5, right, queries, shard: null, merged: 3 };
  const merged = JSON.parse((await bigbigan(['knn', '--merge', ...parts, '--json'])).stdout);
  t.match(merged, wanted);
  t.notOk('neighbours_out' in merged, 'those of the first shard are not those of all');
  const [c, a, b] = parts;
  const { stdout } = await bigbigan(['knn', '--merge', a, b, c, ...near('joined'), '--json']);
  t.match(JSON.parse(stdout), { ...wanted, neighbours_out: join(dir, 'joined') });
  for (const name of ['indices.npy', 'distances.npy']) {
    const [ours, theirs] = await Promise.all(['joined', 'near'].map((folder) => readNpy(join(dir, folder, name))));
    t.same(ours, theirs, `${name}, in the order of the rows`);
  }
  await fails(t, 1, ['knn', '--merge', ...parts, ...near('joined')], /joined exists already/);
  const other = join(dir, 'other.json');
  await writeFile(
    other,
    (await bigbigan(['knn', '--train', train, '--test', test, '--shard', '3/3', '--json'])).stdout,
  );
  await writeFile(join(dir, 'broken.json'), '{"top1":');
  for (const [files, message] of [
    [parts.slice(0, 2), /each of the 3 shards once.*got 1\/3, 2\/3\n.*missing: 3\/3/],
    [[...parts, parts[0]], /each of the 3 shards once/],
    [[parts[0], parts[1], other], /metric "cosine" as in .*got "l2"/],
    [[join(dir, 'broken.json')], /one JSON object/],
    [[join(dir, 'none.json')], /none\.json, got ENOENT/],
  ] as const) {
    await fails(t, 1, ['knn', '--merge', ...files], message);
  }
});

t.test('--neighbours-out has rows and distances, --force replaces them', async (t) => {
  const out = join(t.testdir(), 'near');
  const ask = ['knn', '--train', train, '--test', test, '--k', '4', '--metric', 'l1', '--neighbours-out', out];
  t.match((await bigbigan(ask)).stdout, new RegExp(`${out}\n$`));
  const [indices, distances] = [await readNpy(join(out, 'indices.npy')), await readNpy(join(out, 'distances.npy'))];
  t.match([indices.shape, indices.dtype, distances.shape, distances.dtype], [[90, 4], 'int32', [90, 4], 'float32']);
  t.same([...(indices.data as Int32Array).subarray(0, 20)], nearest.indices.flat());
  nearest.distances.flat().forEach((value, i) => t.ok(Math.abs(Number(distances.data[i]) - value) < 1e-6));
  const again = await bigbigan(ask);
  t.equal(again.code, 1);
  t.match(again.stderr, /exists already/);
  t.equal((await bigbigan([...ask, '--force'])).code, 0);
});

t.test('leave-one-out names no row as its own neighbour, in a shard too', async (t) => {
  const out = join(t.testdir(), 'near');
  const { stderr } = await bigbigan([
    'knn',
    '--train',
    train,
    '--test',
    train,
    '--k',
    '2',
    '--neighbours-out',
    out,
    '--shard',
    '2/4',
  ]);
  t.match(stderr, /warning: --merge joins what --json prints/);
  const { data, shape } = await readNpy(join(out, 'indices.npy'));
  t.same(shape, [100, 2]);
  for (let i = 0; i < 100; i++) t.notOk([data[2 * i], data[2 * i + 1]].includes(100 + i));
});

t.test('the sheet shows each query at the left of its neighbours', async (t) => {
  const dir = t.testdir();
  const sheet = join(dir, 'near.png');
  const grey = (rows: number, value: (row: number) => number) =>
    Uint8Array.from({ length: rows * 4 }, (_, i) => value(i >> 2));
  await writeNpy(
    join(dir, 'train.npy'),
    [400, 2, 2, 1],
    grey(400, (row) => row % 256),
  );
  await writeNpy(
    join(dir, 'test.npy'),
    [90, 2, 2, 1],
    grey(90, (row) => row + 100),
  );
  const images = ['--train-images', join(dir, 'train.npy'), '--test-images', join(dir, 'test.npy')];
  const ask = ['knn', '--train', train, '--test', test, '--k', '4', '--metric', 'l1', '--sheet-out', sheet];
  t.equal((await bigbigan([...ask, ...images, '--sheet-rows', '90'])).code, 0);
  const { data, info } = await sharp(sheet).raw().toBuffer({ resolveWithObject: true });
  t.match(info, { width: 5 * 4 - 2, height: 90 * 4 - 2, channels: 3 });
  const at = (row: number, column: number) => data[(row * 4 * info.width + column * 4) * 3];
  for (let row = 0; row < 5; row++) {
    t.same(
      [0, 1, 2, 3, 4].map((column) => at(row, column)),
      [row + 100, ...nearest.indices[row].map((index) => index % 256)],
    );
  }
  await writeNpy(join(dir, 'larger.npy'), [90, 3, 3, 1], new Uint8Array(90 * 9));
  await fails(
    t,
    1,
    [...ask, ...images.slice(0, 3), join(dir, 'larger.npy'), '--force'],
    /images of 3 x 3 as in .*larger.npy for .*train.npy, got 2 x 2/,
  );
  const few = await bigbigan([
    ...ask,
    '--train-images',
    join(dir, 'test.npy'),
    '--test-images',
    join(dir, 'test.npy'),
    '--force',
  ]);
  t.match(few.stderr, /400 images, one for each row.*got 90/);
});

t.test('several pairs of folders: mean and standard deviation', async (t) => {
  const { stdout } = await bigbigan(['knn', '--train', train, train, '--test', test, train, '--k', '1', '--json']);
  const { top1, top1_std, runs } = JSON.parse(stdout);
  const [a, b] = [golden.l2[1], golden['leave-one-out'][1]];
  t.ok(Math.abs(top1[1] - (a + b) / 2) < 1e-12 && Math.abs(top1_std[1] - Math.abs(a - b) / Math.SQRT2) < 1e-12);
  t.equal(runs.length, 2);
});

t.test('a test class that training never saw is told and counts as wrong', async (t) => {
  const dir = t.testdir();
  const a = await features(join(dir, 'a'), 3, 2, [0, 0, 1]);
  const b = await features(join(dir, 'b'), 2, 2, [0, 5]);
  const { stdout, stderr } = await bigbigan(['knn', '--train', a, '--test', b, '--k', '1', '--json']);
  t.match(stderr, /warning: .*a has no rows of class 5; 1 of the 2 rows of .*b count as wrong/);
  t.same((JSON.parse(stdout) as { top1: object }).top1, { 1: 0.5 });
});

t.test('what cannot be answered is explained', async (t) => {
  const dir = t.testdir();
  const good = await features(join(dir, 'good'), 3, 2, [0, 1, 0]);
  const wide = await features(join(dir, 'wide'), 3, 4, [0, 1, 0]);
  const bare = await features(join(dir, 'bare'), 3, 2);
  const holed = await features(join(dir, 'holed'), 3, 2, [0, 1, 0]);
  await writeNpy(join(holed, 'avepool.npy'), [3, 2], Float32Array.of(1, 2, 3, NaN, 5, 6));
  const short = await features(join(dir, 'short'), 3, 2, [0, 1]);
  const single = await features(join(dir, 'single'), 3, 2, [4, 4, 4]);
  const halves = await features(join(dir, 'halves'), 3, 2);
  await writeNpy(join(halves, 'labels.npy'), [3], Float64Array.of(0, 1, 0));
  const broken = await features(join(dir, 'broken'), 3, 2, [0, 1, 0]);
  await writeFile(join(broken, 'avepool.npy'), 'not an array');
  const cases: Array<[string[], number, RegExp]> = [
    [['--train', good, '--test', wide], 1, /features of width 2 as in .*good for .*wide, got 4/],
    [['--train', good, '--test', bare], 1, /labels\.npy for .*bare, got none/],
    [['--train', holed, '--test', good, '--k', '1'], 1, /row 1 of .*holed/],
    [['--train', good, '--test', short], 1, /3 class numbers.*short.*got 2/],
    [['--train', broken, '--test', good], 1, /broken/],
    [
      ['--train', join(good, 'avepool.npy'), '--test', good],
      1,
      /got a file\n.*name its folder, .*good, and choose the file by --feature avepool/,
    ],
    [['--train', join(dir, 'none'), '--test', good], 1, /none, got no such folder/],
    [['--train', good, '--test', good, '--feature', 'z_mean'], 1, /z_mean.*got avepool/],
    [['--train', single, '--test', good], 1, /2 classes or more.*single, got class 4 in every row/],
    [
      ['--train', good, '--test', halves],
      1,
      /class numbers of an integer type.*halves.*got float64\n.*astype\('int32'\)/,
    ],
    [
      ['--train', good, '--test', good, '--neighbours-out', join(good, 'avepool.npy')],
      1,
      /a folder or a free name .*avepool.npy, got a file/,
    ],
    [
      ['--train', good, '--test', good, '--neighbours-out', join(good, 'avepool.npy', 'near')],
      1,
      /can be written to .*got .*avepool.npy, which is a file/,
    ],
    [
      ['--train', good, '--test', wide.replace('wide', 'holed'), '--k', '4'],
      2,
      /at most 3 for --k, the rows of .*, got 4/,
    ],
    [
      ['--train', good, '--test', good, '--k', '1,2,3'],
      2,
      /at most 2 for --k, the other rows of .*, got 3\n.*--k 1,2\n/,
    ],
    [['--train', good, '--test', good, '--k', '0'], 2, /whole number of 1 or more/],
    [['--train', good, '--test', good, '--metric', 'l3'], 2, /l1, l2, cosine/],
    [['--train', good, '--test', holed, '--metric', 'cosine', '--no-normalise'], 2, /cosine/],
    [['--train', good], 2, /--test/],
    [['--train', good, good, '--test', good], 2, /as many --test folders/],
    [['--train', good, '--test', good, '--temperature', '0.07'], 2, /--temperature does not go with --metric l2/],
    [['--train', good, '--test', good, '--shard', '3/2'], 2, /I\/N/],
    [['--train', good, '--test', holed, '--k', '1', '--shard', '1/9'], 2, /part 1\/9 of the 3 rows.*empty/],
    [['--train', good, '--test', good, '--sheet-out', join(dir, 'a.png')], 2, /--train-images/],
    [
      ['--train', good, '--test', good, '--sheet-out', join(dir, 'a.jpg'), '--train-images', 'a', '--test-images', 'b'],
      2,
      /a .png file for --sheet-out/,
    ],
    [['--train', good, '--test', good, '--sheet-rows', '3'], 2, /--sheet-rows needs --sheet-out/],
    [['--merge', 'a.json', '--train', good], 2, /--train does not go with --merge/],
    [['--merge', 'a.json', '--k', '5'], 2, /--k does not go with --merge/],
  ];
  for (const [words, wantedCode, message] of cases) {
    await fails(t, wantedCode, ['knn', ...words], message);
  }
});
