import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkFinite, openFeaturePair } from '../../../../src/core/evaluation/features/feature-pair.js';
import { writeNpy } from '../../../../src/core/formats/npy/npy.js';

async function folder(dir: string, files: Record<string, number[][]>, labels: number[]): Promise<string> {
  await mkdir(dir);
  for (const [name, rows] of Object.entries(files))
    await writeNpy(join(dir, `${name}.npy`), [rows.length, rows[0].length], Float32Array.from(rows.flat()));
  await writeNpy(join(dir, 'labels.npy'), [labels.length], Int32Array.from(labels));
  return dir;
}

/** Closed at the end of the test. */
async function opened(t: Test, ...question: Parameters<typeof openFeaturePair>) {
  const pair = await openFeaturePair(...question);
  t.teardown(pair[Symbol.asyncDispose]);
  return pair;
}

function remarks() {
  const said: string[] = [];
  return {
    said,
    note: (message: string) => said.push(message),
    warn: (message: string) => said.push(`warning: ${message}`),
  };
}

t.test('BN+CReLU takes mean and variance of the training rows for both sides', async (t) => {
  const dir = t.testdir();
  // Column 0 has mean 2 and deviation 1, column 1 mean 0 and deviation 5, column 2 never changes.
  const train = await folder(
    join(dir, 'train'),
    {
      avepool: [
        [1, -5, 4],
        [3, 5, 4],
      ],
    },
    [0, 1],
  );
  const test = await folder(join(dir, 'test'), { avepool: [[7, 10, 9]] }, [1]);
  const pair = await opened(t, train, test, 'bn_crelu', remarks());
  t.match(pair, {
    train: { rows: 2, width: 6, name: 'avepool' },
    test: { rows: 1, width: 6 },
    same: false,
    classes: 2,
  });
  t.same([...(await pair.train.read(0, 2))], [0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0]);
  t.same([...(await pair.test.read(0, 1))], [5, 2, 0, 0, 0, 0]);

  await writeNpy(join(test, 'bn_crelu.npy'), [1, 2], Float32Array.of(1, 2));
  t.match(
    await opened(t, train, test, 'bn_crelu', remarks()),
    { bn: Object, test: { width: 6 } },
    'one file of it is of no use',
  );
  await writeNpy(join(train, 'bn_crelu.npy'), [2, 2], Float32Array.of(1, 2, 3, 4));
  t.match(
    await opened(t, train, test, 'bn_crelu', remarks()),
    { bn: undefined, train: { width: 2 }, test: { width: 2 } },
    'both files are',
  );
  await rm(join(test, 'avepool.npy'));
  await rm(join(test, 'bn_crelu.npy'));
  await t.rejects(openFeaturePair(train, test, 'bn_crelu', remarks()), {
    message: /bn_crelu.npy for --feature bn_crelu in .*test/,
  });
});

t.test('what to know of the two sides', async (t) => {
  const dir = t.testdir();
  const rows = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];
  const train = await folder(join(dir, 'train'), { avepool: rows }, [0, 1, 40]);
  const copy = join(dir, 'copy');
  await cp(train, copy, { recursive: true });
  const first = remarks();
  t.match(await opened(t, train, copy, 'avepool', first), { same: true, sameImages: true, classes: 3 });
  t.same(first.said, [`${train} has 3 classes, numbered up to 40: 38 numbers have no rows`]);
  const second = remarks();
  const others = await folder(
    join(dir, 'others'),
    { avepool: Array.from({ length: 8 }, (_, i) => [i, i]) },
    [9, 8, 7, 6, 5, 4, 0, 4],
  );
  t.match(await opened(t, train, others, 'avepool', second), { same: false, sameImages: false });
  t.match(second.said, [
    `warning: ${train} has no rows of classes 4, 5, 6, 7, 8 and 1 more; 7 of the 8 rows of ${others} count as wrong`,
  ]);
  const holed = await folder(
    join(dir, 'holed'),
    {
      avepool: [
        [1, 2],
        [3, -Infinity],
      ],
    },
    [0, 1],
  );
  const { test } = await opened(t, train, holed, 'avepool', remarks());
  await t.rejects(checkFinite(test), { message: /finite numbers for row 1 of .*holed.*got -Infinity/ });
});

t.test('the same images encoded twice are recognised by their digest', async (t) => {
  const dir = t.testdir();
  const of = async (name: string, rows: number[][], source: object) => {
    const path = await folder(join(dir, name), { avepool: rows }, [0, 1]);
    await writeFile(join(path, 'features.json'), JSON.stringify({ source }));
    return path;
  };
  const a = await of('a', [[1], [2]], { data_digest: 'd1' });
  const b = await of('b', [[1], [2.01]], { data_digest: 'd1' });
  const c = await of('c', [[1], [3]], { data_digest: null });
  const d = await of('d', [[1], [4]], { data_digest: null });
  const said = remarks();
  t.match(await opened(t, a, b, 'avepool', said), { same: false, sameImages: true });
  t.match(said.said, [/^warning: .*b and .*a were encoded from the same images/]);
  t.match(await opened(t, a, c, 'avepool', remarks()), { sameImages: false });
  t.match(await opened(t, c, d, 'avepool', remarks()), { sameImages: false }, 'streams are not known');
});
