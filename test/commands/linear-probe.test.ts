import { readFileSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { sha256File } from '../../src/core/formats/digest.js';
import { readNpy, writeNpy } from '../../src/core/formats/npy/npy.js';
import { readSafetensors } from '../../src/core/formats/safetensors.js';
import { bigbigan, fixture } from '../paths.js';
import { features } from './features.js';
import { fails } from './run.js';

const train = fixture('metrics/knn/train');
const test = fixture('metrics/knn/test');
const golden = JSON.parse(readFileSync(fixture('metrics/probe.json'), 'utf8')) as {
  small: { top1: number; penalty: number; objective: number };
};
const sets = ['--train', train, '--test', test];
const quick = ['--steps', '200', '--batch-size', '64'];

interface Result {
  top1: number;
  top5: number;
  best: { learning_rate: number; penalty: number };
  heads: Array<{ learning_rate: number; penalty: number; heldout_top1: number; heldout_loss: number }>;
  [key: string]: unknown;
}

async function result(args: string[]): Promise<Result> {
  const { stdout } = await bigbigan(['linear-probe', ...args, '--json']);
  return JSON.parse(stdout) as Result;
}

t.test("reaches scikit-learn's accuracy on NumPy's folders", async (t) => {
  const single = ['--learning-rates', '0.01', '--penalties', String(golden.small.penalty)];
  const { top1, top5, heads } = await result([...sets, ...single, '--steps', '3000', '--batch-size', '400']);
  t.equal(top1, golden.small.top1);
  t.ok(top5 > top1 && top5 <= 1);
  t.same(heads, [{ learning_rate: 0.01, penalty: golden.small.penalty }]);
});

t.test('the result names the choice, every candidate and the inputs', async (t) => {
  const all = await result([...sets, ...quick]);
  t.equal(all.heads.length, 25);
  const lowest = all.heads.reduce((best, head) => (head.heldout_loss < best.heldout_loss ? head : best));
  t.same(all.best, lowest);
  t.match(all, {
    feature: 'avepool',
    train: { path: train, rows: 400, width: 12, digest: await sha256File(join(train, 'avepool.npy')) },
    test: { path: test, rows: 90, width: 12, digest: await sha256File(join(test, 'avepool.npy')) },
    classes: 7,
    test_is_train: false,
    holdout: 40,
    steps: 200,
    batch_size: 64,
    seed: 0,
    seconds: Number,
    versions: { tensorflow: /^2\./ },
  });
});

t.test('the seed decides, and nothing else does', async (t) => {
  const [a, b, c] = [
    await result([...sets, ...quick]),
    await result([...sets, ...quick]),
    await result([...sets, ...quick, '--seed', '3']),
  ];
  t.same({ ...b, seconds: 0 }, { ...a, seconds: 0 });
  t.notSame(c.heads, a.heads);
});

t.test('bn_crelu is computed from avepool, and equals the file of it', async (t) => {
  const single = ['--learning-rates', '0.01', '--penalties', '0.001', ...quick];
  const dir = t.testdir();
  const computed = await result([...sets, ...single, '--feature', 'bn_crelu', '--out', join(dir, 'probe.safetensors')]);
  t.match(computed, { feature: 'bn_crelu', computed_from: 'avepool', train: { width: 24 }, test: { width: 24 } });
  const { tensors } = await readSafetensors(join(dir, 'probe.safetensors'));
  const [mean, factor] = [tensors.get('bn_mean')!.data as Float32Array, tensors.get('bn_factor')!.data as Float32Array];
  for (const folder of ['train', 'test']) {
    await cp(fixture(`metrics/knn/${folder}`), join(dir, folder), { recursive: true });
    const { data, shape } = await readNpy(join(dir, folder, 'avepool.npy'));
    const [rows, width] = shape;
    const crelu = Float32Array.from({ length: rows * width * 2 }, (_, i) => {
      const column = i % (2 * width);
      const h =
        ((data[Math.floor(i / (2 * width)) * width + (column % width)] as number) - mean[column % width]) *
        factor[column % width];
      return Math.max(column < width ? h : -h, 0);
    });
    await writeNpy(join(dir, folder, 'bn_crelu.npy'), [rows, 2 * width], crelu);
  }
  const read = await result([
    '--train',
    join(dir, 'train'),
    '--test',
    join(dir, 'test'),
    ...single,
    '--feature',
    'bn_crelu',
  ]);
  t.equal(read.computed_from, undefined);
  t.equal(read.top1, computed.top1);
});

t.test('--out saves a classifier that gives the accuracy without this program', async (t) => {
  const file = join(t.testdir(), 'probe.safetensors');
  const { stdout, code } = await bigbigan(['linear-probe', ...sets, ...quick, '--out', file]);
  t.equal(code, 0);
  const [, top1, path] = /^top-1 ([\d.]+) %.*\n(.*)\n$/.exec(stdout)!;
  t.equal(path, file);
  const { tensors, metadata } = await readSafetensors(file);
  const [weight, bias, classes] = ['weight', 'bias', 'classes'].map((name) => tensors.get(name)!);
  t.match([weight.shape, bias.shape, classes.shape], [[12, 7], [7], [7]]);
  t.match(JSON.parse(metadata.result), { best: { learning_rate: Number, penalty: Number } });
  const rows = (await readNpy(join(test, 'avepool.npy'))).data as Float32Array;
  const labels = (await readNpy(join(test, 'labels.npy'))).data as BigInt64Array;
  const right = labels.filter((label, row) => {
    const scores = Array.from(bias.data as Float32Array, (value, c) => {
      let score = value;
      for (let j = 0; j < 12; j++) score += rows[row * 12 + j] * (weight.data as Float32Array)[j * 7 + c];
      return score;
    });
    return (classes.data as Int32Array)[scores.indexOf(Math.max(...scores))] === Number(label);
  });
  t.equal(((100 * right.length) / 90).toFixed(2), top1);

  const before = await readFile(file);
  const again = await bigbigan(['linear-probe', ...sets, ...quick, '--out', file]);
  t.equal(again.code, 1);
  t.match(again.stderr, /exists already.*\n.*--force/);
  t.same(await readFile(file), before);
});

t.test('lbfgs: the optimum, which chance does not touch, and a state that the same command goes on from', async (t) => {
  const dir = t.testdir();
  const ask = [...sets, '--solver', 'lbfgs', '--penalties', `1,${golden.small.penalty}`, '--tolerance', '1e-6'];
  const state = join(dir, 'state.safetensors');
  const first = await result([...ask, '--state', state]);
  t.equal(first.top1, golden.small.top1);
  t.match(first, {
    solver: 'lbfgs',
    best: { penalty: golden.small.penalty, heldout_loss: Number, iterations: Number },
    holdout: 40,
  });
  const final = (answer: Result) => answer.final as { objective: number; iterations: number };
  t.ok(Math.abs(final(first).objective - golden.small.objective) < 1e-6);
  const { stderr, stdout } = await bigbigan(['linear-probe', ...ask, '--state', state, '--json']);
  t.match(stderr, /fits 3\/3\n/);
  t.match(stderr, /going on from .*: 2 penalties done/);
  t.equal(final(JSON.parse(stdout)).objective, final(first).objective);
  const other = await bigbigan(['linear-probe', ...ask, '--state', state, '--seed', '4']);
  t.equal(other.code, 1);
  t.match(other.stderr, /the state of a training with seed 4 for .*state\.safetensors, got 0\n/);
});

t.test('sgd with averaged weights learns; per-class accuracies make up the whole', async (t) => {
  const answer = await result([
    ...sets,
    ...quick,
    '--solver',
    'sgd',
    '--learning-rates',
    '0.01,0.1',
    '--penalties',
    '0.01',
    '--average',
    '0.9',
    '--schedule',
    'constant',
  ]);
  t.match(answer, { solver: 'sgd', average: 0.9, schedule: 'constant' });
  t.ok(answer.top1 > golden.small.top1 - 0.06);
  const labels = Array.from((await readNpy(join(test, 'labels.npy'))).data as BigInt64Array, Number);
  const perClass = answer.per_class_top1 as Record<string, number>;
  const right = labels.reduce((sum, label) => sum + perClass[label], 0);
  t.ok(Math.abs(right / labels.length - answer.top1) < 1e-9);
});

t.test(
  '--apply tests a saved classifier, with BN+CReLU where it was computed; the confusion is counts or a picture',
  async (t) => {
    const dir = t.testdir();
    for (const feature of ['avepool', 'bn_crelu']) {
      const file = join(dir, `${feature}.safetensors`);
      const trained = await result([
        ...sets,
        ...quick,
        '--learning-rates',
        '0.01',
        '--penalties',
        '0',
        '--feature',
        feature,
        '--out',
        file,
      ]);
      const applied = await result(['--apply', file, '--test', test, '--confusion-out', join(dir, `${feature}.npy`)]);
      t.same([applied.top1, applied.top5, applied.feature], [trained.top1, trained.top5, feature]);
      const { data, shape } = await readNpy(join(dir, `${feature}.npy`));
      t.same(shape, [7, 7]);
      const diagonal = Array.from({ length: 7 }, (_, i) => Number(data[8 * i])).reduce((a, b) => a + b);
      t.ok(Math.abs(diagonal / 90 - applied.top1) < 1e-9);
    }
    const picture = join(dir, 'confusion.png');
    t.equal(
      (
        await bigbigan([
          'linear-probe',
          '--apply',
          join(dir, 'avepool.safetensors'),
          '--test',
          test,
          '--confusion-out',
          picture,
        ])
      ).code,
      0,
    );
    t.match(await sharp(picture).metadata(), { width: 855, height: 848 });
    await fails(
      t,
      2,
      ['linear-probe', '--apply', join(dir, 'avepool.safetensors'), '--test', test, '--feature', 'z_mean'],
      /--feature z_mean does not go with .*, which was trained on avepool/,
    );
    const wrong = await bigbigan([
      'linear-probe',
      '--apply',
      join(dir, 'bn_crelu.safetensors'),
      '--test',
      await features(join(dir, 'wide'), 4, 3, [0, 1, 0, 1]),
    ]);
    t.equal(wrong.code, 1);
    t.match(wrong.stderr, /features of width 24/);
  },
);

t.test('several seeds: mean and standard deviation of single runs', async (t) => {
  const single = [...sets, ...quick, '--learning-rates', '0.01', '--penalties', '0'];
  const alone = [await result([...single, '--seed', '3']), await result([...single, '--seed', '5'])];
  const both = await result([...single, '--seeds', '3,5']);
  const [a, b] = alone.map(({ top1 }) => top1);
  t.ok(Math.abs(both.top1 - (a + b) / 2) < 1e-12);
  t.ok(Math.abs((both.top1_std as number) - Math.abs(a - b) / Math.SQRT2) < 1e-12);
});

t.test('--epochs counts passes over the training rows; nothing is chosen of one classifier', async (t) => {
  const single = ['--learning-rates', '0.01,0.01', '--penalties', '0', '--batch-size', '64'];
  const answer = await result([...sets, ...single, '--epochs', '3']);
  t.match(answer, { steps: Math.ceil((3 * 400) / 64), holdout: 0, heads: { length: 1 } });
  t.notOk('grid_edge' in answer);
});

t.test('tested on the training rows, or chosen at the edge of the grid: said in words and in the result', async (t) => {
  const dir = t.testdir();
  const copy = join(dir, 'copy');
  await cp(train, copy, { recursive: true });
  const out = join(dir, 'probe.safetensors');
  const { stdout, stderr } = await bigbigan([
    ...[
      'linear-probe',
      '--train',
      train,
      '--test',
      copy,
      ...quick,
      '--learning-rates',
      '1e-6,1e-5',
      '--penalties',
      '0,1e-7,1e5',
      '--out',
      out,
      '--json',
    ],
  ]);
  t.match(stderr, /warning: the test features are the training features/);
  t.match(
    stderr,
    /warning: the chosen learning rate, 0.00001, is the largest of --learning-rates: a larger one may do better/,
  );
  t.match(stderr, /steps 400\/400 of the chosen one on all rows\n/);
  t.match(JSON.parse(stdout), {
    test_is_train: true,
    protocol: /TESTED ON THE TRAINING IMAGES/,
    grid_edge: { learning_rate: 'largest', penalty: null },
  });
  const applied = await bigbigan(['linear-probe', '--apply', out, '--test', train, '--json']);
  t.match(applied.stderr, /warning: .*probe.safetensors was trained on the features of .*train/);
  t.match(JSON.parse(applied.stdout), { test_is_train: true });
});

t.test('features in half precision give what the same numbers give in float32', async (t) => {
  const folders = ['--train', fixture('metrics/half/train'), '--test', fixture('metrics/half/test')];
  const [half, rounded] = [
    await result([...folders, ...quick, '--feature', 'avepool']),
    await result([...folders, ...quick, '--feature', 'rounded']),
  ];
  t.same([half.top1, half.best, half.heads], [rounded.top1, rounded.best, rounded.heads]);
});

t.test('a grid that no memory holds is refused before it is trained', async (t) => {
  const wide = await features(
    join(t.testdir(), 'wide'),
    20,
    50_000,
    Array.from({ length: 20 }, (_, i) => i),
  );
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1).join();
  const { code, stdout, stderr } = await bigbigan([
    'linear-probe',
    '--train',
    wide,
    '--test',
    wide,
    '--learning-rates',
    numbers(300),
    '--penalties',
    numbers(100),
  ]);
  t.match({ code, stdout }, { code: 1, stdout: '' });
  t.match(
    stderr,
    /30000 classifiers \(300 learning rates × 100 penalties\) of 20 classes and 50000 features takes about 1\d{3}\.\d GB of memory/,
  );
  t.match(stderr, /at most \d+ of them fit/);
});

t.test('what cannot be answered is explained', async (t) => {
  const dir = t.testdir();
  const good = await features(join(dir, 'good'), 4, 2, [0, 1, 0, 1]);
  const wide = await features(join(dir, 'wide'), 4, 3, [0, 1, 0, 1]);
  const bare = await features(join(dir, 'bare'), 4, 2);
  const single = await features(join(dir, 'single'), 4, 2, [5, 5, 5, 5]);
  const negative = await features(join(dir, 'negative'), 4, 2, [0, 1, -1, 0]);
  const short = await features(join(dir, 'short'), 4, 2, [0, 1]);
  const holed = await features(join(dir, 'holed'), 4, 2, [0, 1, 0, 1]);
  await writeNpy(join(holed, 'avepool.npy'), [4, 2], Float32Array.of(1, 2, 3, 4, NaN, 6, 7, 8));
  const broken = await features(join(dir, 'broken'), 4, 2, [0, 1, 0, 1]);
  await writeFile(join(broken, 'avepool.npy'), '');
  const one = ['--learning-rates', '0.01', '--penalties', '0'];
  const cases: Array<[string[], number, RegExp]> = [
    [['--train', good, '--test', wide], 1, /features of width 2 as in .*good for .*wide, got 3/],
    [['--train', good, '--test', bare], 1, /labels\.npy for .*bare, got none/],
    [['--train', single, '--test', good], 1, /2 classes or more.*single, got class 5 in every row/],
    [['--train', negative, '--test', good], 1, /row 2 of .*negative.*got -1/],
    [['--train', short, '--test', good], 1, /4 class numbers.*short.*got 2/],
    [['--train', holed, '--test', good], 1, /row 2 of .*holed/],
    [['--train', good, '--test', holed], 1, /^bigbigan linear-probe: expected finite numbers for row 2 of .*holed/],
    [
      [
        '--train',
        train,
        '--test',
        test,
        '--solver',
        'sgd',
        '--learning-rates',
        '1000',
        '--penalties',
        '100',
        '--steps',
        '200',
      ],
      1,
      /training diverged: .*learning rate 1000 and penalty 100.*\n.*smaller --learning-rates/,
    ],
    [['--train', broken, '--test', good], 1, /broken/],
    [['--train', join(dir, 'none'), '--test', good], 1, /none, got no such folder\n.*encode/],
    [['--train', good, '--test', good, '--feature', 'z_mean'], 1, /z_mean.*got avepool/],
    [['--train', good, '--test', good, '--holdout', '4'], 2, /fewer than the 4 training rows for --holdout, got 4/],
    [['--train', good, '--test', good, '--holdout', '0'], 2, /--holdout 0 cannot choose among 25/],
    [['--train', good, '--test', good, '--learning-rates', '0'], 2, /above 0 for --learning-rates/],
    [['--train', good, '--test', good, '--learning-rates', 'fast'], 2, /numbers of 0 or more/],
    [['--train', good, '--test', good, '--steps', '5', '--epochs', '2'], 2, /cannot be used with/],
    [
      ['--train', good, '--test', good, ...one, '--steps', '2', '--out', join(dir, 'no', 'such.safetensors')],
      1,
      /no folder .*no/,
    ],
    [['--train', good], 2, /--test/],
    [['--test', good], 2, /--train is missing/],
    [['--train', good, good, '--test', good], 2, /as many --test folders/],
    [['--train', good, '--test', good, '--state', 'a'], 2, /--state does not go with --solver adam/],
    [['--train', good, '--test', good, '--seeds', '0-2', '--out', 'a'], 2, /one seed/],
    [['--train', good, '--test', good, '--confusion-out', 'a.txt'], 2, /\.png or \.npy/],
    [['--train', good, '--test', good, '--average', '1'], 2, /from 0 to less than 1/],
    [['--train', good, '--test', good, '--seeds', '0,1,0'], 2, /seed 0 is named twice/],
    [['--train', good, '--test', good, '--seed', '0', '--seeds', '1,2'], 2, /cannot be used with/],
    [
      ['--train', good, '--test', good, '--solver', 'lbfgs', '--penalties', '0.1', '--seeds', '1,2'],
      2,
      /several seeds do not go with --solver lbfgs/,
    ],
    [
      ['--train', good, '--test', good, '--solver', 'lbfgs', '--steps', '10'],
      2,
      /--steps does not go with --solver lbfgs/,
    ],
    [
      ['--train', good, '--test', good, '--solver', 'lbfgs', '--learning-rates', '0.1'],
      2,
      /--learning-rates does not go with --solver lbfgs/,
    ],
    [
      ['--train', good, '--test', good, '--solver', 'sgd', '--tolerance', '0.1'],
      2,
      /--tolerance does not go with --solver sgd/,
    ],
    [
      ['--train', good, '--test', good, '--out', 'a.npy', '--confusion-out', './a.npy'],
      2,
      /--out and --confusion-out name the same file/,
    ],
    [['--train', good, '--test', good, '--out', good, '--force'], 1, /the name of a file for .*good, got a folder/],
    [['--apply', 'a', '--test', good, '--holdout', '5'], 2, /--holdout does not go with --apply/],
    [['--apply', join(good, 'labels.npy'), '--test', good], 1, /labels\.npy/],
  ];
  for (const [words, wantedCode, message] of cases) {
    await fails(t, wantedCode, ['linear-probe', ...words], message);
  }
  const foreign = await features(join(dir, 'foreign'), 4, 2, [0, 1, 7, 8]);
  const warned = await bigbigan(['linear-probe', '--train', good, '--test', foreign, ...one, '--steps', '2']);
  t.equal(warned.code, 0);
  t.match(warned.stderr, /warning: .*good has no rows of classes 7, 8; 2 of the 4 rows of .*foreign count as wrong/);
});
