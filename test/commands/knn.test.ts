import t from 'tap';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256File } from '../../src/core/formats/digest.js';
import { writeNpy } from '../../src/core/formats/npy.js';
import { bigbigan, fixture } from '../paths.js';

const train = fixture('metrics/knn/train');
const test = fixture('metrics/knn/test');
const golden = JSON.parse(readFileSync(fixture('metrics/knn.json'), 'utf8')) as Record<string, Record<string, number>>;
const ks = ['--k', '1,2,5,25'];

async function features(dir: string, rows: number, width: number, labels?: number[]): Promise<string> {
  await mkdir(dir, { recursive: true });
  await writeNpy(join(dir, 'avepool.npy'), [rows, width], Float32Array.from({ length: rows * width }, (_, i) => (i * 7) % 5));
  if (labels) await writeNpy(join(dir, 'labels.npy'), [labels.length], Int32Array.from(labels));
  return dir;
}

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

t.test('a test class that training never saw is told and counts as wrong', async (t) => {
  const dir = t.testdir();
  const a = await features(join(dir, 'a'), 3, 2, [0, 0, 0]);
  const b = await features(join(dir, 'b'), 2, 2, [0, 5]);
  const { stdout, stderr } = await bigbigan(['knn', '--train', a, '--test', b, '--k', '1', '--json']);
  t.match(stderr, /warning: 1 classes of .*b do not occur in .*a; their rows count as wrong/);
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
  const broken = await features(join(dir, 'broken'), 3, 2, [0, 1, 0]);
  await writeFile(join(broken, 'avepool.npy'), 'not an array');
  const cases: Array<[string[], number, RegExp]> = [
    [['--train', good, '--test', wide], 1, /features of width 2 as in .*good for .*wide, got 4/],
    [['--train', good, '--test', bare], 1, /labels\.npy for .*bare, got none/],
    [['--train', holed, '--test', good, '--k', '1'], 1, /row 1 of .*holed/],
    [['--train', good, '--test', short], 1, /3 class numbers.*short.*got 2/],
    [['--train', broken, '--test', good], 1, /broken/],
    [['--train', join(dir, 'none'), '--test', good], 1, /none, got no such folder/],
    [['--train', good, '--test', good, '--feature', 'bn_crelu'], 1, /bn_crelu/],
    [['--train', good, '--test', wide.replace('wide', 'holed'), '--k', '4'], 2, /at most 3 for --k.*got 4/],
    [['--train', good, '--test', good, '--k', '3'], 2, /at most 2 for --k/],
    [['--train', good, '--test', good, '--k', '0'], 2, /whole number of 1 or more/],
    [['--train', good, '--test', good, '--metric', 'l3'], 2, /l1, l2, cosine/],
    [['--train', good, '--test', holed, '--metric', 'cosine', '--no-normalise'], 2, /cosine/],
    [['--train', good], 2, /--test/],
  ];
  for (const [words, wantedCode, message] of cases) {
    const { code, stdout, stderr } = await bigbigan(['knn', ...words]);
    t.equal(code, wantedCode, words.join(' '));
    t.match(stderr, message);
    t.notMatch(stderr, /\n +at /, 'no stack');
    t.equal(stdout, '');
  }
});
